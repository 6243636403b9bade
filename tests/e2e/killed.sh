# shellcheck shell=sh
# killed.sh: twilight-deploy is killed with SIGKILL, and recovered by the next run.  Sourced by
# run.sh.  The program is started without ssh, so that its pid is known.
#
# Variables come from world.sh, and are read in run.sh:
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

# docker_that_kills before|after [CALL]: the real docker, but it kills the program before or
# after `compose pull` (or CALL), before the program sees the result.  It waits for the file
# with the pid, which may be written later.
docker_that_kills() {
	dk_real=$(command -v docker)
	cat >"$SPARE/docker" <<SH
#!/bin/sh
if [ "\$1 \$2" = "${2:-compose pull}" ] && [ -e "$SPARE/armed" ]; then
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
	journal_says prepare || fail "a journal at its first step"
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

# The pull moved the name `latest`, and nothing else happened.  The name must be moved back,
# because the next `up` would start the other image.
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
	recorded deploy 1 discarded latest
	ask operator recover
	code 0
	deploy latest
	code 0
	runs "$newer_image" newer
	name_is latest "$newer_image"
}

# The pull outlives the program, and must not move the name afterwards.
scenario_killed_in_the_pull() {
	docker_that_kills before
	good_latest_runs
	deploy_and_be_killed latest
	ask operator recover
	code 1
	runs "$good_image" good
	[ "$(container_now)" = "$good_container" ] || fail "the container was not touched"
	# the pull is over, for its lock is free
	at_rest
	name_is latest "$good_image"
}

# The next deploy recovers first, without `recover`.
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

# -- tables of points: the program alone is killed, or compose too -------------------------

# A point is a phase in which docker_that_stays keeps the deploy, `settling`, or a request of
# `up` that a proxy on the engine's socket holds: create, stop, remove, rename, start; with
# `back-` of the `up` of the revert.
POINTS_GOOD='pull pulled swap create stop remove start upped settling'
POINTS_BAD='pulled swap start upped settling back-create back-stop back-start rolling'

scenario_killed_good_release() { kill_points release healthy "$POINTS_GOOD" kill_it; }
scenario_killed_good_latest() { kill_points latest healthy "$POINTS_GOOD" kill_it; }
scenario_killed_bad_release() { kill_points release never "$POINTS_BAD" kill_it; }
scenario_killed_bad_latest() { kill_points latest never "$POINTS_BAD" kill_it; }

# As after the OOM killer or the end of a cgroup: compose is killed too, and a container is
# renamed, removed, or created and never started.
scenario_killed_with_its_up() {
	kill_points release healthy 'create stop remove rename start upped' kill_it_and_its_up
}

# Compose survives and finishes.
kill_it() { kill -KILL "$HERE"; }

# The detached command's process group is in up.lock; it is valid while the lock is held.
kill_it_and_its_up() {
	up_lock_held || fail "its up is running"
	kill_it
	read -r ki_group ki_word <"$STATE/up.lock"
	echo "killed too: $ki_group $ki_word"
	kill -KILL "-$ki_group" || fail "its group can be ended"
}

# Reads /proc/locks, because taking the lock would disturb the program.  In a pid namespace the
# kernel does not show a lock whose first owner, the program, is dead.
up_lock_held() {
	ul_inode=$(stat -c %i "$STATE/up.lock" 2>/dev/null) &&
		grep -q "^[^>]*FLOCK.*:$ul_inode 0 EOF" /proc/locks
}

# in_phase PHASE: is the deploy in that phase, as seen from outside?
in_phase() {
	ip_word=
	[ ! -e "$STATE/up.lock" ] || read -r ip_group ip_word <"$STATE/up.lock"
	ip_phase=$(sed -n 's/^ *"phase": *"\([^"]*\)".*/\1/p' "$STATE/journal" 2>/dev/null):$ip_word
	case $1,$ip_phase in
	pull,prepare:* | rolling,revert:* | settling,verify:*) ;;
	up,apply:up) up_lock_held ;;
	swap,apply:up) false ;;
	swap,apply:*) ;;
	*) false ;;
	esac
}

# A docker that stays in the phase named by the file `stay` as long as the file names it, so
# that a signal arrives in that phase on every machine.  The call itself runs meanwhile, and
# gets a TERM that is sent to it.  Between the swap and the `up` there is no call: the tag of
# the pulled image leaves a process behind that holds up.lock.
docker_that_stays() {
	cat >"$SPARE/docker" <<SH
#!/bin/sh
told=
stay() {
	while [ -z "\$told" ] && [ "\$(cat "$SPARE/stay" 2>/dev/null)" = \$1 ]; do
		sleep 0.05
	done
}
step=\$(sed -n 's/^ *"phase": *"\([^"]*\)".*/\1/p' "$STATE/journal" 2>/dev/null)
case "\$1 \$2,\$step" in
'compose pull,'*) phase=pull ;;
'image tag,prepare') phase=tag ;;
'compose up,apply') phase=up ;;
'compose up,'*) phase=rolling ;;
'image prune,') phase=done ;;
*) exec "$(command -v docker)" "\$@" ;;
esac
trap 'told=yes; kill \$!' TERM
[ "\$2" != up ] || echo begun >>"$SPARE/ups"
"$(command -v docker)" "\$@" &
wait \$!
code=\$?
# after a TERM, wait returns before docker has ended
[ -z "\$told" ] || { wait \$!; code=\$?; }
[ "\$2" != up ] || echo over >>"$SPARE/ups"
stay \$phase
[ "\$2,\$told" != up, ] || echo "ended \$code" >>"$SPARE/ups"
case \$phase in
pull) stay pulled ;;
tag) stay swap & ;;
esac
exit \$code
SH
	chmod +x "$SPARE/docker"
	setting PATH "$SPARE:$PATH"
}

# deploy_to POINT: starts the deploy of the next release and waits until it is at POINT.  It
# stays there until go_on; `settling` lasts as long as a container must have run.
deploy_to() {
	: >"$SPARE/ups"
	rm -f "$SPARE/go"
	dt_settings=$SETTINGS
	case ${1#back-} in
	create) hold "$1" 'POST */containers/create*' ;;
	stop | rename | start) hold "$1" "POST */${1#back-}*" ;;
	remove) hold "$1" 'DELETE */containers/*' ;;
	settling)
		setting TWILIGHT_HEALTH_SETTLE 3
		setting TWILIGHT_HEALTH_TRIES 5
		;;
	upped) echo up >"$SPARE/stay" ;;
	*) echo "$1" >"$SPARE/stay" ;;
	esac
	here_start deploy "$next_tag"
	SETTINGS=$dt_settings
	until comes_to "$1"; do
		! process_gone "$HERE" || { here_wait; fail "a deploy that comes to the point $1"; }
		sleep 0.02
	done
}

# hold POINT PATTERN: the next deploy uses a proxy, which holds this request.
hold() {
	ho_nth=1
	[ "$1" = "${1#back-}" ] || ho_nth=2
	rm -f "$SPARE/socket" "$SPARE/held"
	ho_engine=${DOCKER_HOST:-unix:///var/run/docker.sock}
	"$WORK/proxy" "$SPARE/socket" "${ho_engine#unix://}" --log "$SPARE/held" --match "$2" \
		--at $ho_nth --act hold --until "$SPARE/go" &
	wait_for 10 test -S "$SPARE/socket" || fail "the proxy listens"
	setting DOCKER_HOST "unix://$SPARE/socket"
}

go_on() {
	rm -f "$SPARE/stay"
	: >"$SPARE/go"
}

# The phases, and more: the pull has moved the name, the `up` has ended, the history has the
# record, a request is held.
comes_to() {
	case $1 in
	pulled) [ "$(image_named "$next_tag")" = "$next_image" ] ;;
	upped) grep -q over "$SPARE/ups" ;;
	done) more_records_than "$kr_lines" ;;
	create | stop | remove | rename | start | back-*) grep -qs ' hold ' "$SPARE/held" ;;
	*) in_phase "$1" ;;
	esac
}

# kill_points release|latest BEHAVIOUR POINTS KILLER: a deploy of such a release for
# each point, killed there by KILLER, and recovered; each but the first begins with what a
# recovery left.  A good release ends it.  `release`: a name of its own for each.
kill_points() {
	behaviour=$2
	killer=$4
	releases_begin "$1"
	docker_that_stays
	for kp_point in $3; do
		kill_round "$kp_point"
	done
	next_release healthy
	deploy_next
}

# releases_begin release|latest: a home in which a first release runs.
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

# The tag in .env, the image of that name, the container and the answer agree.
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
	echo "-- from $now_version to $next_version: killed at $1"
	kr_lines=$(records)
	deploy_to "$1"
	"$killer"
	go_on
	here_wait
	[ "$CODE" -eq 137 ] || fail "the program is killed, not: exit code $CODE"
	recover_round
}

# Either release may run afterwards, but the exit code must say which.
recover_round() {
	rr_recorded=$(($(records) - kr_lines))
	here recover
	rr_code=$(record_field code)
	case $rr_recorded:$CODE in
	0:0 | 0:1) [ "$CODE" -eq "$rr_code" ] || fail "history: code $CODE, not:$NL$(last_record)" ;;
	*) fail "recover: exit code 0 or 1, and a record of it; not $CODE, $rr_recorded before it" ;;
	esac
	round_ended "$rr_code"
}

# round_ended CODE: the code is true, there is one record, and a bad release does not run.
round_ended() {
	[ "$(records)" -eq $((kr_lines + 1)) ] || fail "one record of it, not $(records) - $kr_lines"
	if [ "$1" -eq 0 ]; then
		[ "$behaviour" = healthy ] || fail "a bad release is not taken"
		serves_next
	else
		serves_now
	fi
}
