# shellcheck shell=sh
# signals.sh: TERM, INT and HUP in each phase of a deploy.  Sourced by run.sh.  The releases and
# the phases are those of killed.sh.
#
# Variables come from world.sh and killed.sh, and are read in run.sh:
# shellcheck disable=SC2034,SC2153,SC2154

SCENARIOS_SIGNALS="
signal_term
signal_int
signal_hup
"

scenario_signal_term() { signal_points TERM release; }
scenario_signal_int() { signal_points INT latest; }
scenario_signal_hup() { signal_points HUP release; }

# A release, the phase of its deploy in which TERM or INT arrives, and the outcome.  `done`: the
# record is in the history.  HUP changes nothing: the client has disconnected.
SIGNAL_POINTS='
healthy pull discarded
healthy pulled discarded
healthy swap rolled back
healthy up rolled back
healthy settling rolled back
healthy done deployed
never pull discarded
never swap rolled back
never up rolled back
never settling rolled back
never rolling rolled back'

# signal_points SIGNAL release|latest: each round begins with what the one before left.
signal_points() {
	signal=$1
	releases_begin "$2"
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
	next_release healthy
	deploy_next
}

signal_round() {
	behaviour=$1
	next_release "$behaviour"
	echo "-- from $now_version to $next_version ($behaviour): $signal in the phase $2"
	kr_lines=$(records)
	same=$(container_now)
	deploy_to "$2"
	kill -s "$signal" "$HERE"
	go_on
	here_wait
	signal_ended "$3"
}

# The exit code, the history and the state of the host agree.
signal_ended() {
	se_code=1
	[ "$1" != deployed ] || se_code=0
	code $se_code
	round_ended $se_code
	recorded deploy $se_code "$1" "$next_tag"
	if [ "$1" = discarded ]; then
		[ "$(container_now)" = "$same" ] || fail "the container was not touched"
		[ ! -s "$SPARE/ups" ] || fail "there was no up"
	fi
	[ "$(grep -c begun "$SPARE/ups")" -eq "$(grep -c 'ended 0' "$SPARE/ups")" ] ||
		fail "each up comes to its end, not:$NL$(cat "$SPARE/ups")"
}
