# shellcheck shell=sh
# signals.sh: twilight-deploy told to stop by TERM or INT, and hung up on by HUP, at each
# step of a deploy.  Sourced by run.sh.  The releases and the phases are killed.sh's.
#
# What is read here is set in world.sh and killed.sh, and what is set here in run.sh:
# shellcheck disable=SC2034,SC2153,SC2154

SCENARIOS_SIGNALS="
signal_term
signal_int
signal_hup
"

scenario_signal_term() { signal_points TERM release; }
scenario_signal_int() { signal_points INT latest; }
scenario_signal_hup() { signal_points HUP release; }

# A release, the phase of its deploy in which TERM or INT comes, and what becomes of it.
# It comes before anybody has asked the service, or when the history has it (`done`).
# HUP makes no difference: somebody has left, no more.
SIGNAL_POINTS='
healthy pull put back
healthy pulled put back
healthy swap rolled back
healthy up rolled back
healthy settling rolled back
healthy done deployed
never pull put back
never swap rolled back
never up rolled back
never settling rolled back
never rolling rolled back'

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
step=\$(sed -n 's/^ *"step": *"\([^"]*\)".*/\1/p' "$STATE/journal" 2>/dev/null)
case "\$1 \$2,\$step" in
'compose pull,'*) phase=pull ;;
'compose up,swap') phase=up ;;
'compose up,'*) phase=rolling ;;
'inspect --type,swap') phase=settling ;;
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
stay \$phase
[ "\$2,\$told" != up, ] || echo "ended \$code" >>"$SPARE/ups"
case \$phase in pull) stay pulled; stay swap & ;; esac
exit \$code
SH
	chmod +x "$SPARE/docker"
	setting PATH "$SPARE:$PATH"
}

# signal_points SIGNAL release|latest
signal_points() {
	signal=$1
	releases_begin "$2"
	# a phase lasts as long as it must
	setting TWILIGHT_HEALTH_SETTLE 0
	docker_that_stays
	while read -r sp_release sp_phase sp_outcome <&3; do
		case $signal:$sp_release in
		HUP:healthy) sp_outcome=deployed ;;
		HUP:never) sp_outcome='rolled back' ;;
		esac
		[ -z "$sp_release" ] || signal_round "$sp_release" "$sp_phase" "$sp_outcome"
	done 3<<POINTS
$SIGNAL_POINTS
POINTS
}

signal_round() {
	behaviour=$1
	next_release "$behaviour"
	echo "-- from $now_version to $next_version ($behaviour): $signal in the phase $2"
	kr_lines=$(records)
	same=$(container_now)
	: >"$SPARE/ups"
	echo "$2" >"$SPARE/stay"
	here_start deploy "$next_tag"
	until comes_to "$2"; do
		! process_gone "$HERE" || fail "a deploy that comes to the phase $2"
		sleep 0.05
	done
	kill -s "$signal" "$HERE"
	rm "$SPARE/stay"
	here_wait
	signal_ended "$3"
	# the next deploy works; after one that was no other, the next round shows it
	if [ "$3" != deployed ]; then
		next_release healthy
		deploy_next
	fi
}

# The phases of killed.sh and two more: the pull has moved the name, the history has it.
comes_to() {
	case $1 in
	pulled) [ "$(image_named "$next_tag")" = "$next_image" ] ;;
	done) more_records_than "$kr_lines" ;;
	*) in_phase "$1" ;;
	esac
}

# The exit code, the history and what is there say the same.
signal_ended() {
	se_code=1
	[ "$1" != deployed ] || se_code=0
	code $se_code
	round_ended $se_code
	recorded deploy $se_code "$1" "$next_tag"
	if [ "$1" = 'put back' ]; then
		[ "$(container_now)" = "$same" ] || fail "the container was not touched"
		[ ! -s "$SPARE/ups" ] || fail "there was no up"
	fi
	[ "$(grep -c begun "$SPARE/ups")" -eq "$(grep -c 'ended 0' "$SPARE/ups")" ] ||
		fail "each up comes to its end, not:$NL$(cat "$SPARE/ups")"
}
