# shellcheck shell=sh
# killed.sh: twilight-deploy killed with SIGKILL, and what the next run makes of it.
# Sourced by run.sh.  The program is started without ssh: its pid must be known.
#
# What is read here is set in world.sh, and what is set here is read in run.sh:
# shellcheck disable=SC2034,SC2153,SC2154

SCENARIOS_KILLED="
killed_after_the_pull
killed_in_the_pull
killed_before_the_swap_then_deploy
killed_while_rolling_back
killed_across_up_a
killed_across_up_b
killed_with_its_up
"

# A docker that is the real one, except that at `compose pull` it kills the program:
# "before" it pulls, or "after", in both cases before the program hears of it.
# Nothing else hits that moment surely.  The pid is waited for, for we may be
# faster than the one who writes it down.
docker_that_kills() {
	dk_real=$(command -v docker)
	cat >"$SPARE/docker" <<SH
#!/bin/sh
if [ "\$1 \$2" = "compose pull" ] && [ -e "$SPARE/armed" ]; then
	until [ -s "$SPARE/pid" ]; do sleep 0.05; done
	pid=\$(cat "$SPARE/pid")
	rm -f "$SPARE/armed" "$SPARE/pid"
	[ "$1" = before ] && kill -KILL "\$pid"
	"$dk_real" "\$@"
	code=\$?
	[ "$1" = after ] && kill -KILL "\$pid"
	exit \$code
fi
exec "$dk_real" "\$@"
SH
	chmod +x "$SPARE/docker"
	setting PATH "$SPARE:$PATH"
}

deploy_and_be_killed() {
	: >"$SPARE/armed"
	here_start deploy "$1"
	echo "$HERE" >"$SPARE/pid"
	here_wait
	[ "$CODE" -eq 137 ] || fail "the program is killed at its pull, not: exit code $CODE"
	journal_says pull || fail "a journal at its first step"
}

good_latest_runs() {
	publish latest healthy good
	good_image=$IMAGE
	env_write latest
	deploy latest
	code 0
	runs "$good_image" good
	good_container=$(container_now)
	publish latest healthy newer
	newer_image=$IMAGE
}

# The pull moved the name `latest`; nothing else happened.  It must be moved back,
# for the next `up` of anybody would take the other image.
scenario_killed_after_the_pull() {
	docker_that_kills after
	good_latest_runs
	deploy_and_be_killed latest
	name_is latest "$newer_image"
	ask operator recover
	code 1
	name_is latest "$good_image"
	env_is latest
	runs "$good_image" good
	[ "$(container_now)" = "$good_container" ] || fail "the container was not touched"
	at_rest
	recorded deploy 1 'put back' latest
	ask operator recover
	code 0
	deploy latest
	code 0
	runs "$newer_image" newer
	name_is latest "$newer_image"
}

# The pull lives on without the program, and must not move the name afterwards.
scenario_killed_in_the_pull() {
	docker_that_kills before
	good_latest_runs
	deploy_and_be_killed latest
	ask operator recover
	code 1
	name_is latest "$good_image"
	runs "$good_image" good
	[ "$(container_now)" = "$good_container" ] || fail "the container was not touched"
	at_rest
	sleep 1
	name_is latest "$good_image"
}

# Nobody has to know `recover`: the next deploy mends first, then does its own.
scenario_killed_before_the_swap_then_deploy() {
	docker_that_kills after
	v1_runs
	publish sha-0000002 healthy
	publish sha-0000003 healthy
	deploy_and_be_killed sha-0000002
	deploy sha-0000003
	code 0
	env_is sha-0000003
	runs "$IMAGE" sha-0000003
	at_rest
	recorded deploy 0 deployed sha-0000003 "$IMAGE"
	grep -q '"sha-0000002"' "$STATE/history.jsonl" || fail "the history has the killed one too"
}

# Once it was going back it goes back, though the new one may look fine by now.
scenario_killed_while_rolling_back() {
	v1_runs
	publish sha-0000002 never
	v2_image=$IMAGE
	here_start deploy sha-0000002
	wait_for 60 journal_says 'rolling back' || fail "the deploy fails and goes back"
	kill -KILL "$HERE"
	here_wait
	ask operator recover
	code 1
	env_is sha-0000001
	runs "$v1_image" sha-0000001
	at_rest
	recorded deploy 1 'rolled back' sha-0000002 "$v2_image"
}

# -- every 25 ms across a real up ------------------------------------------------------

KILL_LAST=1000

# Half of the offsets each, so that two processors can share them.  Compose lives on
# and finishes its `up`.
scenario_killed_across_up_a() { kill_series 0 50 kill_it; }
scenario_killed_across_up_b() { kill_series 25 50 kill_it; }

# What the memory killer or the end of a cgroup leaves: compose dies too, with a
# container renamed, removed, or created and never started.
scenario_killed_with_its_up() { kill_series 20 70 kill_it_and_its_up; }

kill_it() { kill -KILL "$HERE" 2>/dev/null; }

# The mover's process group stands in up.lock, and is its own only while that is held.
kill_it_and_its_up() {
	kill_it
	if [ -s "$STATE/up.lock" ] && ! flock -n "$STATE/up.lock" true; then
		read -r ki_group ki_rest <"$STATE/up.lock"
		echo "killed too: $ki_group $ki_rest"
		kill -KILL "-$ki_group" || flock -n "$STATE/up.lock" true || fail "its group can be ended"
	fi
}

# kill_series FIRST STEP KILLER
kill_series() {
	# nothing here is about settling, and there are many rounds
	setting TWILIGHT_HEALTH_SETTLE 0
	publish sha-0000001 healthy
	image_1=$IMAGE
	publish sha-0000002 healthy
	image_2=$IMAGE
	env_write sha-0000001
	here deploy sha-0000001
	code 0
	now=1
	kill_after=$1
	rounds=0
	hits=0
	while [ "$kill_after" -le $KILL_LAST ]; do
		kill_round "$kill_after" "$3"
		rounds=$((rounds + 1))
		kill_after=$((kill_after + $2))
	done
	# where the machine is too fast or too slow for these offsets they prove nothing
	echo "$hits of $rounds were killed with a journal"
	[ $hits -ge 5 ] || fail "at least 5 kills within a deploy"
}

# kill_round MS KILLER: a deploy killed, recovered, and the next deploy in full.
kill_round() {
	next=$((3 - now))
	echo "-- $1 ms after the swap step, from sha-000000$now to sha-000000$next"
	here_start deploy "sha-000000$next"
	until journal_says swap || process_gone "$HERE"; do sleep 0.002; done
	sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
	"$2"
	here_wait
	[ "$CODE" -eq 137 ] || [ "$CODE" -eq 0 ] || fail "killed or done, not: exit code $CODE"
	! journal_there || hits=$((hits + 1))
	here recover
	[ "$CODE" -eq 0 ] || [ "$CODE" -eq 1 ] || fail "recover: exit code 0 or 1, not $CODE"
	consistent
	now=$(env_number)
	next=$((3 - now))
	here deploy "sha-000000$next"
	code 0
	consistent
	[ "$(env_number)" -eq $next ] || fail "sha-000000$next is deployed"
	now=$next
}

env_number() {
	sed -n 's/^TWILIGHT_VERSION=sha-000000\([12]\).*/\1/p' "$ENV_FILE"
}

# What .env says is what runs and what answers.
consistent() {
	case $(env_number) in
	1)
		env_is sha-0000001
		runs "$image_1" sha-0000001
		;;
	2)
		env_is sha-0000002
		runs "$image_2" sha-0000002
		;;
	*) fail ".env says one of the two versions: $(cat "$ENV_FILE")" ;;
	esac
	at_rest
}
