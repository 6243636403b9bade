# shellcheck shell=sh
# outages.sh: the machine loses power, or the engine is killed.  Sourced by run.sh, which runs
# these one by one after the others, and only on an engine that it started.  The deploys and
# their points are those of killed.sh.
#
# Variables come from world.sh, and are read in run.sh:
# shellcheck disable=SC2034,SC2153,SC2154

SCENARIOS_OUTAGES="
reboot_after_the_pull
reboot_good_latest
reboot_bad_release
engine_killed_in_up
engine_and_program_killed
"

# The engine may be down after a failed scenario.
engine_there() {
	engine_answers || engine_restart || fail "an engine"
}

# Engine 20.10, killed while it releases a container, may keep the container's port in use:
# the port is free after another restart.
engine_comes_back() {
	engine_restart || fail "the engine starts again"
	if port_listens "$PORT" && [ -z "$(docker ps -q --filter "publish=$PORT")" ]; then
		echo 'the engine keeps the port of no container: restarting it'
		engine_restart || fail "the engine starts again"
	fi
}

# As the unit does at boot, with the version of .env.  It may fail on a half-made container;
# then `recover` does the rest.
boot() {
	engine_comes_back
	echo '$ docker compose up -d'
	(cd "$COMPOSE_DIR" && COMPOSE_ENV_FILES=$ENV_FILE docker compose up -d 2>&1) ||
		echo "[the unit fails: $?]"
}

# The pull moved the name `latest`, so the boot's `up` starts another image than before.
scenario_reboot_after_the_pull() {
	engine_there
	docker_that_kills after
	good_latest_runs
	deploy_and_be_killed latest
	engine_power_cut || fail "no process of the engine is left"
	boot
	runs "$newer_image" newer
	here recover
	code 1
	env_is latest
	name_is latest "$good_image"
	runs "$good_image" good
	at_rest
	recorded deploy 1 'rolled back' latest
	here deploy latest
	code 0
	runs "$newer_image" newer
}

scenario_reboot_good_latest() {
	engine_there
	kill_points latest healthy 'start settling' kill_the_power
}

scenario_reboot_bad_release() {
	engine_there
	kill_points release never 'create back-start' kill_the_power
}

# The running docker command is killed with everything else.
kill_the_power() {
	kill -STOP "$HERE"
	kp_group=
	! up_lock_held || read -r kp_group kp_word <"$STATE/up.lock"
	engine_power_cut "$HERE" ${kp_group:+"-$kp_group"} || fail "nothing of it is left"
	boot
}

# The program survives and cannot do anything: it says so, and leaves its journal.
scenario_engine_killed_in_up() {
	engine_there
	v1_runs
	publish sha-0000002 healthy
	next_tag=sha-0000002
	deploy_to start
	engine_kill || fail "the engine can be ended"
	go_on
	here_wait
	code 5
	recover_is_for_later
	here recover
	code 1
	env_is sha-0000001
	runs "$v1_image" sha-0000001
	at_rest
	recorded deploy 1 'rolled back' sha-0000002 "$IMAGE"
	deploy sha-0000002
	code 0
	runs "$IMAGE" sha-0000002
}

scenario_engine_and_program_killed() {
	engine_there
	kill_points release healthy 'stop settling' kill_it_and_the_engine
}

kill_it_and_the_engine() {
	kill_it
	engine_kill || fail "the engine can be ended"
	# the surviving `up` fails now
	go_on
	recover_is_for_later
}

# Without an engine: code 5, because something was changed, and the journal stays.  Then the
# engine starts.
recover_is_for_later() {
	cp "$STATE/journal" "$SPARE/journal" || fail "a journal"
	for rl_request in recover 'deploy sha-0000001'; do
		# shellcheck disable=SC2086 # words
		here $rl_request
		code 5
		cmp -s "$STATE/journal" "$SPARE/journal" || fail "the journal stays as it was"
	done
	engine_comes_back
}
