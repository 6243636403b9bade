# shellcheck shell=sh
# phases.sh: the pre-deploy job, drain, `restart`, hooks, freeze and bad releases.  Sourced by
# run.sh.
#
# Variables come from world.sh, and are read in run.sh:
# shellcheck disable=SC2034,SC2153,SC2154

SCENARIOS_PHASES="
job_and_drain
freeze_and_bad_releases
"

# A service that is drained, a job of the same image that runs until it gets TERM, and a third
# service.  The job reads .env, which has the old version while it runs.
phases_compose() {
	mkdir "$SPARE/control"
	cat >"$COMPOSE_DIR/compose.yml" <<YML
services:
  data:
    image: $REPO:\${TWILIGHT_VERSION:?}
    ports: ["127.0.0.1:$PORT:8080"]
    environment: {SERVICE_CONTROL: /control/data}
    volumes: ["$SPARE/control:/control"]
  migrate:
    image: $REPO:\${TWILIGHT_VERSION:?}
    env_file: ../../.env
  peer:
    image: $REPO:sha-0000001
YML
}

# hook_make: on_start and on_result append what they get to $SPARE/started and $SPARE/results.
hook_make() {
	need_package jq jq || fail "jq"
	# shellcheck disable=SC2016 # the hook's own
	printf '#!/bin/sh\ncat >>"$1"\n' >"$SPARE/hook"
	chmod +x "$SPARE/hook"
	setting TWILIGHT_ON_START "$SPARE/hook $SPARE/started"
	setting TWILIGHT_ON_RESULT "$SPARE/hook $SPARE/results"
}

container_of() {
	containers --filter "label=com.docker.compose.service=$1"
}

image_of() { docker inspect -f '{{.Image}}' "$1"; }

started_at() {
	docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$(container_of "$1")"
}

# What was asked of the service: its requests, without repetitions.
asked_is() {
	as_is=$(uniq "$SPARE/control/data.asked" 2>/dev/null | tr '\n' ' ')
	[ "$as_is" = "$1" ] || fail "requests '$1' to the service, not '$as_is'"
}

# Is it asked again whether it is idle?  So the deploy waits.
is_awaited() {
	awk '/idle/ { n++ } END { exit n < 2 }' "$SPARE/control/data.asked" 2>/dev/null
}

# job_begins TAG: starts a deploy and waits until its job runs.  Sets JOB.
job_begins() {
	here_start deploy "$1"
	wait_for 60 job_runs || fail "the job runs, not: $(cat "$OUT")"
	JOB=$(container_of migrate)
}

job_runs() { [ -n "$(container_of migrate)" ]; }

job_ends() { docker kill -s TERM "$JOB" >/dev/null || fail "the job runs"; }

# untouched: data and peer run as before, and nothing else is there.
untouched() {
	[ "$(started_at data)" = "$data_before" ] || fail "the service was not touched"
	[ "$(started_at peer)" = "$peer_before" ] || fail "peer was not restarted"
	[ "$(containers -a | wc -l)" -eq 2 ] || fail "no other container, not:$NL$(docker ps -a)"
}

# given_up TEXT: sha-0000003 was not deployed, and nothing was changed.
given_up() {
	code 1
	said "$1"
	untouched
	env_is sha-0000002
	at_rest
	recorded deploy 1 discarded sha-0000003
}

# The job runs first, with the new version; then the service finishes its work, is replaced,
# and peer is restarted.
phases_of_a_deploy() {
	data_before=$(started_at data)
	peer_before=$(started_at peer)
	echo 1 >"$SPARE/control/data.jobs"
	job_begins sha-0000002
	[ "$(image_of "$JOB")" = "$v2_image" ] || fail "the job has the new image"
	docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$JOB" |
		grep -qx 'TWILIGHT_VERSION=sha-0000002' || fail "the job has the new version"
	env_is sha-0000001
	asked_is ''
	job_ends
	wait_for 60 is_awaited || fail "the deploy waits for the service"
	[ -z "$(containers -a --filter "id=$JOB")" ] || fail "the job's container is removed"
	untouched
	env_is sha-0000001
	echo 0 >"$SPARE/control/data.jobs"
	here_wait
	code 0
	asked_is 'drain idle? '
	[ "$(image_of "$(container_of data)")" = "$v2_image" ] || fail "data has the new image"
	[ "$(version_served)" = sha-0000002 ] || fail "data serves sha-0000002"
	[ "$(started_at peer)" != "$peer_before" ] || fail "peer was restarted"
	env_is sha-0000002
	at_rest
	recorded deploy 0 deployed sha-0000002 "$v2_image"
}

# The program is killed, and the job goes on: a recovery waits for it.
phases_killed_in_the_job() {
	job_begins sha-0000003
	kill -KILL "$HERE"
	here_wait
	job_runs || fail "the job outlives the program"
	pk_settings=$SETTINGS
	pk_engine=${DOCKER_HOST:-unix:///var/run/docker.sock}
	"$WORK/proxy" "$SPARE/socket" "${pk_engine#unix://}" --log "$SPARE/seen" --match 'GET */events*' &
	wait_for 10 test -S "$SPARE/socket" || fail "the proxy listens"
	setting DOCKER_HOST "unix://$SPARE/socket"
	here_start recover
	wait_for 60 test -s "$SPARE/seen" || fail "the recovery waits for the job, not: $(cat "$OUT")"
	job_ends
	here_wait
	SETTINGS=$pk_settings
	given_up 'the pre-deploy job may have changed the database'
	last_record | grep -q 'may have changed the database' || fail "history: what the job may have done"
}

scenario_job_and_drain() {
	phases_compose
	hook_make
	v1_runs
	(cd "$COMPOSE_DIR" && TWILIGHT_VERSION=sha-0000001 docker compose up -d --no-deps peer) ||
		fail "peer runs"
	publish sha-0000002 healthy
	v2_image=$IMAGE
	publish sha-0000003 healthy
	setting TWILIGHT_PRE_DEPLOY migrate
	setting TWILIGHT_DRAIN_URL "http://127.0.0.1:$PORT/drain"
	setting TWILIGHT_DRAIN_DONE_URL "http://127.0.0.1:$PORT/drain"
	setting TWILIGHT_DRAIN_DONE_EXPECT active_jobs=0
	setting TWILIGHT_DRAIN_RESUME_URL "http://127.0.0.1:$PORT/resume"
	setting TWILIGHT_RESTART peer
	phases_of_a_deploy

	data_before=$(started_at data)
	peer_before=$(started_at peer)
	rm "$SPARE/control/data.asked"
	setting TWILIGHT_PRE_DEPLOY 'migrate --behaviour exit'
	deploy sha-0000003
	given_up 'ended as told, version sha-0000003'
	said 'the pre-deploy job ended with exit 1'
	setting TWILIGHT_PRE_DEPLOY migrate
	phases_killed_in_the_job
	asked_is ''

	# a drain that is given up
	setting TWILIGHT_PRE_DEPLOY ''
	echo 1 >"$SPARE/control/data.jobs"
	here_start deploy sha-0000003
	wait_for 60 is_awaited || fail "the deploy waits for the service"
	kill -TERM "$HERE"
	here_wait
	asked_is 'drain idle? resume '
	given_up 'nothing was changed'

	# each deploy has one start, and each record one result
	[ "$(jq -r '"\(.outcome) \(.to.tag)"' "$SPARE/started" | uniq -c | tr -s '\n ' ' ')" = \
		' 1 started sha-0000001 1 started sha-0000002 3 started sha-0000003 ' ] ||
		fail "on_start is run once for each deploy, not:$NL$(cat "$SPARE/started")"
	here history --json
	jq -c 'del(.bad)' "$OUT" | tac | cmp - "$SPARE/results" ||
		fail "on_result gets each record once, not:$NL$(cat "$SPARE/results")"
}

# A release that failed, and one that somebody left: what runs by itself does not start it.
scenario_freeze_and_bad_releases() {
	v1_runs
	publish sha-0000002 exit
	v2_image=$IMAGE
	deploy sha-0000002
	v1_serves_again
	here --trigger poll deploy sha-0000002
	code 2
	said 'this image of sha-0000002 is bad since'
	runs "$v1_image" sha-0000001
	publish sha-0000002 healthy
	here --trigger poll deploy sha-0000002
	code 0
	runs "$IMAGE" sha-0000002

	# frozen: no deploy, but a rollback
	ask ci freeze it moves
	code 2
	ask operator freeze for=2h the database moves
	code 0
	deploy sha-0000001
	code 2
	said 'the database moves (by operator'
	said 'until 20'
	runs "$IMAGE" sha-0000002
	ask ci status
	code 0
	said 'the database moves'
	ask operator rollback
	code 0
	runs "$v1_image" sha-0000001
	ask operator unfreeze
	code 0

	here --trigger poll deploy sha-0000002
	code 2
	said 'this image of sha-0000002 is bad since'
	runs "$v1_image" sha-0000001
	ask ci history
	code 0
	said bad
	deploy sha-0000002
	code 0
	said 'this image of sha-0000002 is bad since'
	runs "$IMAGE" sha-0000002
	at_rest
}
