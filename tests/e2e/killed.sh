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

# docker_that_kills before|after [CALL]: the real docker, except that at `compose pull`, or
# CALL, it kills the program before that call or after it, in both cases before the program
# hears of it.  Nothing else hits that moment surely.  The pid is waited for, for we may be
# faster than the one who writes it down.
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
	recorded deploy 1 discarded latest
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
	runs "$good_image" good
	[ "$(container_now)" = "$good_container" ] || fail "the container was not touched"
	# the pull is over, for its lock is free
	at_rest
	name_is latest "$good_image"
}

# Nobody has to know `recover`: the next deploy recovers first, then does its own.
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

# -- points of a table: where the program alone dies, and where compose does too -----------

# A point is where a docker that stays keeps the deploy (docker_that_stays), `settling`, or a
# request of an `up` that a proxy on the engine's socket holds: create, stop, remove, rename,
# start; of the rollback's `up` with `back-`.
POINTS_GOOD='pull pulled swap create stop remove start upped settling'
POINTS_BAD='pulled swap start upped settling back-create back-stop back-start rolling'

scenario_killed_good_release() { kill_points release healthy "$POINTS_GOOD" kill_it; }
scenario_killed_good_latest() { kill_points latest healthy "$POINTS_GOOD" kill_it; }
scenario_killed_bad_release() { kill_points release never "$POINTS_BAD" kill_it; }
scenario_killed_bad_latest() { kill_points latest never "$POINTS_BAD" kill_it; }

# What the memory killer or the end of a cgroup leaves: compose dies too, with a
# container renamed, removed, or created and never started.
scenario_killed_with_its_up() {
	kill_points release healthy 'create stop remove rename start upped' kill_it_and_its_up
}

# Compose lives on and finishes what it does.
kill_it() { kill -KILL "$HERE"; }

# The detached command's process group is in up.lock; it is valid while the lock is held.
kill_it_and_its_up() {
	up_lock_held || fail "its up is under way"
	kill_it
	read -r ki_group ki_word <"$STATE/up.lock"
	echo "killed too: $ki_group $ki_word"
	kill -KILL "-$ki_group" || fail "its group can be ended"
}

# Looks without taking it, for that would be in the program's way.  In a pid namespace the
# kernel does not show a lock whose first owner, the program, is dead.
up_lock_held() {
	ul_inode=$(stat -c %i "$STATE/up.lock" 2>/dev/null) &&
		grep -q "^[^>]*FLOCK.*:$ul_inode 0 EOF" /proc/locks
}

# in_phase PHASE: is the deploy there, as it can be seen from outside?
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

# A docker that stays in the phase that the file `stay` names, as long as it does: however
# slow or fast a machine is, a signal comes in that phase.  The call itself goes on
# meanwhile, and is told of a TERM that is meant for it.  Between the swap and the `up`
# there is no call: there the pull leaves somebody behind who holds up.lock.
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
# told, it ends its wait before docker has ended
[ -z "\$told" ] || { wait \$!; code=\$?; }
[ "\$2" != up ] || echo over >>"$SPARE/ups"
stay \$phase
[ "\$2,\$told" != up, ] || echo "ended \$code" >>"$SPARE/ups"
case \$phase in pull) stay pulled; stay swap & ;; esac
exit \$code
SH
	chmod +x "$SPARE/docker"
	setting PATH "$SPARE:$PATH"
}

# deploy_to POINT: the next release's deploy, begun, and there.  There it stays until go_on,
# but in `settling`, which lasts as long as a container must have run.
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
		! process_gone "$HERE" || fail "a deploy that comes to the point $1"
		sleep 0.02
	done
}

# hold POINT PATTERN: the next deploy goes by way of a proxy, which holds this request.
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

# The phases and some more: the pull has moved the name, the `up` is over, the history has
# it, a request is held.
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
	echo "-- from $now_version to $next_version: killed at $1"
	kr_lines=$(records)
	deploy_to "$1"
	"$killer"
	go_on
	here_wait
	[ "$CODE" -eq 137 ] || fail "the program is killed, not: exit code $CODE"
	recover_round
}

# Who wins is the program's to decide, but so it must be, and so it must say.
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
