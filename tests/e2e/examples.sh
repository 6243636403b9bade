# shellcheck shell=sh
# examples.sh: the set-ups of deploy/examples/, each with its own files.  Sourced by run.sh.
#
# What is read here is set in world.sh, and what is set here is read in run.sh:
# shellcheck disable=SC2034,SC2153,SC2154

SCENARIOS_EXAMPLES="
example_twilight
example_ghosthands
example_spryte
"

# example NAME PORT...: its files where they belong.  Replaced are what differs from host to
# host: folder, registry and ports, and the project's name, for an engine may be shared.
# Set before all of the file are shorter limits.
example() {
	ex_files=$ROOT/deploy/examples/$1
	CONFIG=$SPARE/twilight-deploy.conf
	printf 's|/home/deploy/%s|%s|\n' "$1" "$HOME_DIR" >"$SPARE/host.sed"
	printf 's|/usr/local/lib/twilight-deploy/|%s/deploy/hooks/|; s|/etc/twilight-deploy/|%s/|\n' \
		"$ROOT" "$SPARE" >>"$SPARE/host.sed"
	shift
	PORTS=
	for ex_port; do
		free_port
		PORTS="$PORTS $FREE_PORT"
		printf 's/\\(localhost\\|127\\.0\\.0\\.1\\):%s\\b/\\1:%s/\n' "$ex_port" "$FREE_PORT"
	done >>"$SPARE/host.sed"
	printf 's#\\(ghcr\\.io\\|[0-9a-z.-]*\\.amazonaws\\.com\\)/#%s/#\n' "${GUARDED:-$ENGINE_REGISTRY}" \
		>>"$SPARE/host.sed"
	{
		printf 'health_tries = 3\nhealth_sleep = 1\nhealth_settle = 1\ndisk_min = 1M\n'
		sed -f "$SPARE/host.sed" "$ex_files/twilight-deploy.conf"
	} >"$CONFIG"
	ex_folder=$(sed -n 's/^compose_dir = //p' "$CONFIG")
	[ -n "$ex_folder" ] || {
		ex_folder=$HOME_DIR/source/deploy
		mkdir -p "$ex_folder"
	}
	sed -f "$SPARE/host.sed" "$ex_files/compose.yml" >"$ex_folder/compose.yml"
	sed -f "$SPARE/host.sed" "$ex_files/env.example" >"$ENV_FILE"
	echo "COMPOSE_PROJECT_NAME=$PROJECT" >>"$ENV_FILE"
	chmod 600 "$ENV_FILE"
	cp "$ENV_FILE" "$SPARE/env"
	PROGRAM="$PROGRAM --config $CONFIG --target all"
	SETTINGS=$(printf '%s' "$SETTINGS" | grep -v ^TWILIGHT_)$NL
}

# steps: of each line, who asks for what, the exit code, what is said, and the versions that
# the ports serve afterwards.
steps() {
	sed 's/ *| */|/g' >"$SPARE/steps"
	while IFS='|' read -r st_who st_words st_code st_said SERVED <&3; do
		ask "$st_who" "$st_words"
		code "$st_code"
		said "$st_said"
		[ -z "$(awk 'length > 100 && !/^  [|]/' "$OUT")" ] || fail "no line over 100 columns"
		serves
	done 3<"$SPARE/steps"
}

# Each port serves its version of $SERVED, and nothing else of the project is there.
serves() {
	# shellcheck disable=SC2086 # words
	set -- $SERVED
	for PORT in $PORTS; do
		[ "$(version_served)" = "${1:-}" ] || fail "port $PORT serves ${1:-nothing}, not '$(version_served)'"
		[ -z "${1:-}" ] || shift
	done
	# shellcheck disable=SC2086
	set -- $SERVED
	[ "$(containers -a | wc -l)" -eq $# ] || fail "$# containers, not:$NL$(docker ps -a)"
	for STATE in $STATES; do
		[ ! -d "$STATE" ] || at_rest
	done
}

# env_changed VARIABLE=VALUE...: these and no other byte.
env_changed() {
	for ev_now; do
		sed "s|^${ev_now%%=*}=.*|$ev_now|" "$SPARE/env" >"$SPARE/env.new"
		mv "$SPARE/env.new" "$SPARE/env"
	done
	cmp "$SPARE/env" "$ENV_FILE" || fail ".env with $* and every other byte as before"
}

scenario_example_twilight() {
	example twilight 8081
	REPOSITORY=your-name/twilight
	STATES=$STATE
	publish sha-abc1234 healthy
	publish v1.0.1 healthy
	publish v1.0.2 never
	steps <<-STEPS
		ci       | deploy sha-abc1234 | 0 | rollback target: none              | sha-abc1234
		ci       | deploy v1.0.1      | 0 | deployed v1.0.1 (was sha-abc1234)  | v1.0.1
		ci       | deploy v1.0.2      | 1 | rolled back, v1.0.1 serves         | v1.0.1
		ci       | deploy v1.0        | 2 | invalid tag: v1.0                  | v1.0.1
		ci       | rollback           | 2 | not allowed                        | v1.0.1
		operator | rollback           | 0 | rolled back to sha-abc1234         | sha-abc1234
		ci       | status             | 0 | data:             healthy, sha-abc1234 | sha-abc1234
	STEPS
	env_changed TWILIGHT_VERSION=sha-abc1234
}

# receiver_start: a stand-in for Slack, which keeps what is posted to it.
receiver_start() {
	need_package python3 python3 || fail "python3"
	need_package jq jq || fail "jq"
	python3 "$ROOT/tests/shell/receiver.py" http "$SPARE" >"$SPARE/receiver.log" 2>&1 </dev/null &
	RECEIVER_PID=$!
	trap 'end_process "$RECEIVER_PID" 10; guarded_stop; home_remove' EXIT
	wait_for 30 test -s "$SPARE/port" || fail "the receiver listens"
	echo "http://127.0.0.1:$(cat "$SPARE/port")/services/hook" >"$SPARE/slack-url"
}

# worker_file: the file of the worker's mock at that path, on stdout.
worker_file() {
	docker cp "$(worker_now):/control.$1" - | tar -xOf -
}

worker_now() { containers --filter label=com.docker.compose.service=worker; }

worker_jobs() {
	echo "$1" >"$SPARE/control.jobs"
	docker cp -q "$SPARE/control.jobs" "$(worker_now):/" || fail "a worker with $1 jobs"
}

# Is it asked again whether it is idle?  So the deploy waits.
worker_is_awaited() {
	[ "$(worker_file asked 2>/dev/null | grep -cF 'idle?')" -ge 2 ]
}

# drained TAG: the worker has a job, and the deploy waits for its end.
drained() {
	worker_jobs 1
	keys_write
	ssh_as ci deploy "$1" >"$OUT" 2>&1 </dev/null &
	dr_client=$!
	wait_for 60 worker_is_awaited || fail "the deploy waits for the worker, not: $(cat "$OUT")"
	[ "$(worker_file asked | uniq | tr '\n' ' ')" = 'drain idle? ' ] ||
		fail "the worker is asked to drain, once"
	for PORT in $PORTS; do
		[ "$(version_served)" = "$first" ] || fail "port $PORT serves $first meanwhile"
	done
	worker_jobs 0
	wait $dr_client
	CODE=$?
	cat "$OUT"
	code 0
}

# The image of TAG, whose worker may be bad, and whose API may say another version.
ghosthands_image() {
	publish_image ghosthands "$1" "ENV SERVICE_VERSION=${3:-$1} WORKER_BEHAVIOUR=$2 \
		SERVICE_CONTROL=/control" service bin/bun
}

scenario_example_ghosthands() {
	guarded_start
	guarded_login
	helper_make ecr-login
	docker_config "{\"credHelpers\": {\"$GUARDED\": \"ecr-login\"}}"
	receiver_start
	example ghosthands 3100 3101
	setting TWILIGHT_KEEP_ENV AWS_SECRET_ACCESS_KEY
	STATES=$STATE
	first=1111111111111111111111111111111111111111
	good=2222222222222222222222222222222222222222
	bad=bad0000000000000000000000000000000000000
	other=cafe000000000000000000000000000000000000
	ghosthands_image $first healthy
	ghosthands_image $good healthy
	ghosthands_image $bad never
	ghosthands_image $other healthy $first
	steps <<-STEPS
		ci       | deploy $first  | 0 | healthy after             | $first $first
	STEPS
	drained $good
	said 'to go back: rollback'
	steps <<-STEPS
		ci       | deploy $bad    | 1 | rolled back, $good serves | $good $good
		ci       | deploy 2222222 | 2 | invalid tag: 2222222      | $good $good
		ci       | deploy latest  | 2 | invalid tag: latest       | $good $good
	STEPS
	deploy $other
	code 1
	said "does not say that it runs $other"
	steps <<-STEPS
		ci       | status         | 0 | healthy, $good            | $good $good
		operator | rollback       | 0 | rolling back to: $first   | $first $first
		ci       | status         | 0 | worker:           healthy | $first $first
	STEPS
	env_changed "ECR_IMAGE=$GUARDED/ghosthands:$first"
	jq -r '.body | fromjson | .text | sub(" \\(.*"; "")' "$SPARE/received" >"$SPARE/posted"
	cat >"$SPARE/expected" <<-END
		:white_check_mark: deploy $first on default by ci: deployed
		:white_check_mark: deploy $good on default by ci: deployed
		:x: deploy $bad on default by ci: rolled back
		:x: deploy $other on default by ci: rolled back
		:white_check_mark: rollback $first on default by operator: deployed
	END
	cmp "$SPARE/expected" "$SPARE/posted" ||
		fail "one message for each result, not:$NL$(cat "$SPARE/received")"
}

# docker_that_meets: at `compose up` of a target it waits for the other's.
docker_that_meets() {
	cat >"$SPARE/docker" <<SH
#!/bin/sh
if [ "\$1 \$2" = 'compose up' ]; then
	: >"$SPARE/met.\$4"
	until [ -e "$SPARE/met.backend" ] && [ -e "$SPARE/met.frontend" ]; do sleep 0.05; done
fi
exec "$(command -v docker)" "\$@"
SH
	chmod +x "$SPARE/docker"
	setting PATH "$SPARE:$PATH"
}

spryte_image() {
	publish_image "spryte-$1" "$2" "ENV SERVICE_PORT=$3 SERVICE_VERSION=$1-$2 SERVICE_BEHAVIOUR=$4
		ENTRYPOINT [\"/service\"]" service
}

# spryte_begin SERVICE TAG: its deploy, in the background.
spryte_begin() {
	keys_write
	ssh_as ci deploy "$1-$2" >"$SPARE/$1" 2>&1 </dev/null &
	echo $! >"$SPARE/$1.pid"
}

# spryte_end SERVICE CODE TEXT
spryte_end() {
	wait "$(cat "$SPARE/$1.pid")"
	CODE=$?
	tee "$OUT" <"$SPARE/$1"
	code "$2"
	said "$3"
}

# While one creates the project's network, the other waits, or there would be two of it.
spryte_both_first() {
	bf_settings=$SETTINGS
	hold network 'POST */networks/create*'
	spryte_begin backend v0.1.1
	wait_for 60 grep -qs ' hold ' "$SPARE/held" || fail "a network is created"
	spryte_begin frontend v0.1.1
	wait_for 60 grep -qs 'waiting for the first start' "$SPARE/frontend" ||
		fail "the frontend waits, not: $(cat "$SPARE/frontend")"
	go_on
	spryte_end backend 0 'healthy after'
	spryte_end frontend 0 'healthy after'
	SETTINGS=$bf_settings
}

# Later ones are in `up` at the same time; a bad release of one changes nothing of the other.
spryte_both() {
	docker_that_meets
	spryte_begin backend v0.1.2
	spryte_begin frontend v0.1.2
	spryte_end backend 0 'healthy after'
	spryte_end frontend 1 'rolled back, v0.1.1 serves'
}

# A prefix chooses the target.
scenario_example_spryte() {
	example spryte 5000 8080
	STATES="$STATE/targets/backend $STATE/targets/frontend"
	spryte_image backend v0.1.1 5000 healthy
	spryte_image backend v0.1.2 5000 healthy
	spryte_image frontend v0.1.1 8080 healthy
	spryte_image frontend v0.1.2 8080 close
	spryte_both_first
	spryte_both
	steps <<-STEPS
		ci       | deploy v0.1.1           | 2 | no target accepts it              | backend-v0.1.2 frontend-v0.1.1
		ci       | deploy backend-v0.1     | 2 | after backend-: accepted here:    | backend-v0.1.2 frontend-v0.1.1
		ci       | status                  | 0 | backend:          healthy, v0.1.2 | backend-v0.1.2 frontend-v0.1.1
		ci       | rollback target=backend | 2 | not allowed                       | backend-v0.1.2 frontend-v0.1.1
		operator | rollback                | 2 | name the target                   | backend-v0.1.2 frontend-v0.1.1
		operator | rollback target=backend | 0 | rolled back to v0.1.1             | backend-v0.1.1 frontend-v0.1.1
	STEPS
	env_changed BACKEND_VERSION=v0.1.1 FRONTEND_VERSION=v0.1.1
	# without the prefixes both would take it
	sed -i /^tag_prefix/d "$CONFIG"
	steps <<-STEPS
		ci | deploy v0.1.2 | 2 | targets backend and frontend accept it | backend-v0.1.1 frontend-v0.1.1
	STEPS
}
