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
killed_good_release
killed_good_latest
killed_bad_release
killed_bad_latest
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

# -- points of a table: 40 where the program alone dies, and some where compose does too ----

# A phase of a deploy, and how many milliseconds after its beginning.
POINTS_GOOD='
pull 0
pull 100
pull 300
swap 0
swap 150
up 0
up 250
up 600
settling 0
settling 400'
POINTS_BAD='
pull 0
swap 50
up 100
up 400
settling 0
settling 500
rolling 0
rolling 200
rolling 500
rolling 900'

scenario_killed_good_release() { kill_points release healthy "$POINTS_GOOD" kill_it; }
scenario_killed_good_latest() { kill_points latest healthy "$POINTS_GOOD" kill_it; }
scenario_killed_bad_release() { kill_points release never "$POINTS_BAD" kill_it; }
scenario_killed_bad_latest() { kill_points latest never "$POINTS_BAD" kill_it; }

# What the memory killer or the end of a cgroup leaves: compose dies too, with a
# container renamed, removed, or created and never started.
scenario_killed_with_its_up() {
	kill_points release healthy '
up 150
up 300
up 400
up 500
up 600
up 700
up 900' kill_it_and_its_up
}

# Compose lives on and finishes what it does.
kill_it() {
	kill -KILL "$HERE" 2>/dev/null
	phase_look
}

# The mover's process group stands in up.lock, and is its own only while that is held.
kill_it_and_its_up() {
	kill_it
	if up_lock_held; then
		read -r ki_group ki_word <"$STATE/up.lock"
		echo "killed too: $ki_group $ki_word"
		kill -KILL "-$ki_group" || ! up_lock_held || fail "its group can be ended"
	fi
}

# Looks without taking it, for that would be in the program's way.
up_lock_held() {
	ul_inode=$(stat -c %i "$STATE/up.lock" 2>/dev/null) &&
		grep -q "^[^>]*FLOCK.*:$ul_inode 0 EOF" /proc/locks
}

# Sets PHASE to where the deploy is, as it can be seen from outside; '' where none is.
phase_look() {
	PHASE=
	pl_word=
	[ ! -e "$STATE/up.lock" ] || read -r pl_group pl_word <"$STATE/up.lock"
	case $(sed -n 's/^ *"step": *"\([^"]*\)".*/\1/p' "$STATE/journal" 2>/dev/null):$pl_word in
	pull:*) PHASE=pull ;;
	swap:up) if up_lock_held; then PHASE=up; else PHASE=settling; fi ;;
	swap:*) PHASE=swap ;;
	'rolling back':*) PHASE=rolling ;;
	esac
}

in_phase() {
	phase_look
	[ "$PHASE" = "$1" ]
}

# Between the swap and the `up` are some milliseconds.  A pull that leaves something
# behind, which holds up.lock still, makes them more: the `up` waits for it.
docker_that_lingers() {
	cat >"$SPARE/docker" <<SH
#!/bin/sh
[ "\$1 \$2" = "compose pull" ] || exec "$(command -v docker)" "\$@"
"$(command -v docker)" "\$@"
code=\$?
sleep 0.4 &
exit \$code
SH
	chmod +x "$SPARE/docker"
	setting PATH "$SPARE:$PATH"
}

# kill_points release|latest BEHAVIOUR POINTS KILLER: a deploy of such a release for
# each point, killed there by KILLER (which says in PHASE where that was), recovered,
# and a good release after it.  `release`: a name of its own for each.
kill_points() {
	behaviour=$2
	killer=$4
	hits=
	releases_begin "$1"
	docker_that_lingers
	while read -r kp_phase kp_ms <&3; do
		[ -z "$kp_phase" ] || kill_round "$kp_phase" "$kp_ms"
	done 3<<POINTS
$3
POINTS
	# where no kill was in a phase, on a machine too fast for the offsets, nothing is proven
	# shellcheck disable=SC2046,SC2086 # a word, a kill
	echo hits: $(printf '%s\n' $hits | sort | uniq -c)
	for kp_phase in $(printf '%s\n' "$3" | cut -d ' ' -f 1 | uniq); do
		case " $hits " in
		*" $kp_phase "*) ;;
		*) fail "a kill in the phase $kp_phase" ;;
		esac
	done
}

# releases_begin release|latest: a home where a first one runs.
releases_begin() {
	tags=$1
	releases=0
	setting TWILIGHT_HEALTH_SETTLE 1
	setting TWILIGHT_HEALTH_TRIES 2
	next_release healthy
	env_write "$next_tag"
	deploy_next
}

next_release() {
	releases=$((releases + 1))
	next_version=$(printf 'sha-%07d' $releases)
	next_tag=$next_version
	[ "$tags" = release ] || next_tag=latest
	publish "$next_tag" "$1" "$next_version"
	next_image=$IMAGE
}

# What .env says is what its name means, what runs, and what answers.
serves_next() {
	now_tag=$next_tag
	now_version=$next_version
	now_image=$next_image
	serves_now
}

serves_now() {
	env_is "$now_tag"
	name_is "$now_tag" "$now_image"
	runs "$now_image" "$now_version"
	at_rest
}

deploy_next() {
	here deploy "$next_tag"
	code 0
	serves_next
}

kill_round() {
	next_release "$behaviour"
	echo "-- from $now_version to $next_version: $1, $2 ms"
	kr_lines=$(records)
	here_start deploy "$next_tag"
	until in_phase "$1" || process_gone "$HERE"; do sleep 0.02; done
	sleep "$(printf '%d.%03d' $(($2 / 1000)) $(($2 % 1000)))"
	"$killer"
	here_wait
	hits="$hits ${PHASE:-none}"
	echo "killed in: ${PHASE:-no phase, it was done}"
	recover_round
	next_release healthy
	deploy_next
}

# Who wins is the program's to decide, but so it must be, and so it must say.
recover_round() {
	rr_recorded=$(($(records) - kr_lines))
	here recover
	rr_code=$(record_field code)
	case $rr_recorded:$CODE in
	0:0 | 0:1) [ "$CODE" -eq "$rr_code" ] || fail "history: code $CODE, not:$NL$(last_record)" ;;
	# it was done, or died behind its last word
	1:0) ;;
	*) fail "recover: exit code 0 or 1, or 0 where the history has it; not $CODE" ;;
	esac
	round_ended "$rr_code"
}

# round_ended CODE: so it is, and there is one record of it; never is a bad release taken.
round_ended() {
	[ "$(records)" -eq $((kr_lines + 1)) ] || fail "one record of it, not $(records) - $kr_lines"
	if [ "$1" -eq 0 ]; then
		[ "$behaviour" = healthy ] || fail "a bad release is not taken"
		serves_next
	else
		serves_now
	fi
}
