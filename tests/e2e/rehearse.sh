# shellcheck shell=sh
# rehearse.sh: with strategy = rehearse a bad release costs no request.  Sourced by run.sh.
# A prober (prober.c) asks the published port all the time.
#
# Variables come from world.sh, and are read in run.sh:
# shellcheck disable=SC2034,SC2153,SC2154

SCENARIOS_REHEARSE="
rehearse_ten_bad
rehearse_killed
rehearse_good
"

# v1 runs, and the prober asks it.
rehearse_begin() {
	setting TWILIGHT_STRATEGY rehearse
	setting TWILIGHT_HEALTH_TRIES 2
	v1_runs
	v1_container=$(container_now)
	"$WORK/prober" "$PORT" >"$SPARE/probed" &
	prober=$!
	trap 'kill $prober; home_remove' EXIT
	wait_for 10 grep -qs probing "$SPARE/probed" || fail "the prober is answered"
}

# No request of the prober failed, and the container is the one from the beginning.
rehearse_end() {
	kill "$prober" && wait "$prober"
	trap home_remove EXIT
	read -r re_requests re_failed re_rest <<-TEXT
		$(tail -n 1 "$SPARE/probed")
	TEXT
	echo "the prober: $re_requests requests, $re_failed failed"
	[ "$re_requests" -gt 100 ] || fail "a prober that asks, not $re_requests requests"
	[ "$re_failed" -eq 0 ] || fail "no failed request, not $re_failed of $re_requests"
	[ "$(container_now)" = "$v1_container" ] || fail "the container was not touched"
}

# rejected TAG: v1 serves as before, and no candidate is left (`runs` counts those too).
rejected() {
	env_is sha-0000001
	runs "$v1_image" sha-0000001
	at_rest
	recorded deploy 1 "$2" "$1"
}

scenario_rehearse_ten_bad() {
	rehearse_begin
	rt_n=10
	for rt_behaviour in never crash=300 exit never crash=300 exit never crash=300 exit never; do
		rt_tag=sha-00000$rt_n
		rt_n=$((rt_n + 1))
		publish "$rt_tag" $rt_behaviour
		deploy "$rt_tag"
		code 1
		said 'rehearsal: '
		said 'nothing was changed, what ran runs as before'
		rejected "$rt_tag" rejected
	done
	rehearse_end
}

candidates() {
	docker ps -aq --filter "label=com.docker.compose.project=$PROJECT" \
		--filter label=com.docker.compose.oneoff=True
}

candidate_runs() { [ -n "$(candidates)" ]; }

# Killed before the candidate exists, after it was started, and while it is asked.
scenario_rehearse_killed() {
	rehearse_begin
	publish sha-0000002 never
	for rk_when in before after while; do
		if [ $rk_when = while ]; then
			rm "$SPARE/docker"
			here_start deploy sha-0000002
			wait_for 60 candidate_runs || fail "a candidate"
			kill -KILL "$HERE"
		else
			docker_that_kills $rk_when 'compose run'
			: >"$SPARE/armed"
			here_start deploy sha-0000002
			echo "$HERE" >"$SPARE/pid"
		fi
		here_wait
		code 137
		journal_says candidate || fail "a journal in the phase candidate"
		here recover
		code 1
		rejected sha-0000002 discarded
	done
	# the next deploy recovers, too
	here_start deploy sha-0000002
	wait_for 60 candidate_runs || fail "a candidate"
	kill -KILL "$HERE"
	here_wait
	here deploy sha-0000002
	code 1
	rejected sha-0000002 rejected
	rehearse_end
}

# With a name of its own, .env in its environment, two networks and a volume.
scenario_rehearse_good() {
	cat >"$COMPOSE_DIR/compose.yml" <<-YML
		services:
		  data:
		    image: $REPO:\${TWILIGHT_VERSION:?not set}
		    container_name: $PROJECT
		    restart: unless-stopped
		    stop_grace_period: 5s
		    ports: ["127.0.0.1:\${DEMO_PORT:?not set}:8080"]
		    env_file: ../../.env
		    volumes: [records:/records]
		    networks: {front: {aliases: [web]}, back: {}}
		volumes: {records: {}}
		networks: {front: {}, back: {}}
	YML
	setting TWILIGHT_STRATEGY rehearse
	v1_runs
	publish sha-0000002 never
	here_start deploy sha-0000002
	wait_for 60 candidate_runs || fail "a candidate"
	docker inspect -f '{{.Config.Env}}' "$(candidates)" >"$SPARE/env"
	here_wait
	code 1
	said 'shares with what runs: records'
	rejected sha-0000002 rejected
	grep -q 'TWILIGHT_VERSION=sha-0000002 ' "$SPARE/env" ||
		fail "the new version in the candidate's environment, not $(cat "$SPARE/env")"
	publish sha-0000003 healthy
	deploy sha-0000003
	code 0
	said 'rehearsing sha-0000003'
	runs "$IMAGE" sha-0000003
	at_rest
	same=$(container_now)
	(cd "$COMPOSE_DIR" && COMPOSE_ENV_FILES=$ENV_FILE docker compose up -d) ||
		fail "a plain up succeeds"
	[ "$(container_now)" = "$same" ] || fail "a plain up changes nothing"
}
