#!/bin/sh
# run.sh PROGRAM [PATTERN]: the end-to-end scenarios, through a real sshd, on a real engine
# with a real registry.  PATTERN selects scenarios whose name contains it.  Prints `PASS name`,
# `FAIL name` or `SKIP name: why` for each, and `N passed, N failed`.
set -u

E2E_LIB=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$E2E_LIB/../.." && pwd)
# shellcheck source=tests/e2e/engine.sh
. "$E2E_LIB/engine.sh"
# shellcheck source=tests/e2e/sshd.sh
. "$E2E_LIB/sshd.sh"
# shellcheck source=tests/e2e/world.sh
. "$E2E_LIB/world.sh"
# shellcheck source=tests/e2e/scenarios.sh
. "$E2E_LIB/scenarios.sh"
# shellcheck source=tests/e2e/killed.sh
. "$E2E_LIB/killed.sh"
# shellcheck source=tests/e2e/signals.sh
. "$E2E_LIB/signals.sh"
# shellcheck source=tests/e2e/clients.sh
. "$E2E_LIB/clients.sh"
# shellcheck source=tests/e2e/conversation.sh
. "$E2E_LIB/conversation.sh"
# shellcheck source=tests/e2e/examples.sh
. "$E2E_LIB/examples.sh"
# shellcheck source=tests/e2e/login.sh
. "$E2E_LIB/login.sh"
# shellcheck source=tests/e2e/phases.sh
. "$E2E_LIB/phases.sh"
# shellcheck source=tests/e2e/rehearse.sh
. "$E2E_LIB/rehearse.sh"
# shellcheck source=tests/e2e/outages.sh
. "$E2E_LIB/outages.sh"

case ${1:-} in
'')
	echo "usage: run.sh PROGRAM [PATTERN]" >&2
	exit 2
	;;
/*) PROGRAM=$1 ;;
*) PROGRAM=$PWD/$1 ;;
esac
[ -x "$PROGRAM" ] || {
	refuse "no program at $PROGRAM: make it first"
	exit 1
}
PATTERN=${2:-}
# a short path, because it is part of the paths of the engine's sockets
WORK=$(mktemp -d /tmp/e2e.XXXXXX) || exit 1

# Scenarios mostly wait, so they run in parallel lanes, each with its own registry, sshd and
# ports.
LANES=${E2E_LANES:-2}
lane_pids=

# On a shared engine, removes only the images that we published.
cleanup() {
	trap '' INT TERM HUP
	for lane_pid in $lane_pids; do
		kill "$lane_pid" 2>/dev/null && wait "$lane_pid"
	done
	if [ -s "$WORK/images" ] && ! engine_is_ours; then
		sort -u "$WORK/images" | while read -r cu_image; do
			docker image rm -f "$cu_image" >/dev/null 2>&1
		done
	fi
	engine_stop
	rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# The demo service, static so that an image needs nothing else; the proxy; and the prober.
build_service() {
	need_package gcc gcc libc6-dev && mkdir -p "$WORK/image/bin" &&
		gcc -std=c11 -D_GNU_SOURCE -O2 -static -o "$WORK/image/service" "$ROOT/mocks/service.c" &&
		gcc -std=c11 -D_GNU_SOURCE -O2 -static -o "$WORK/image/bin/bun" "$E2E_LIB/bun.c" &&
		gcc -std=c11 -D_GNU_SOURCE -O2 -o "$WORK/proxy" "$ROOT/mocks/proxy.c" &&
		gcc -std=c11 -D_GNU_SOURCE -O2 -o "$WORK/prober" "$E2E_LIB/prober.c"
}

# In a subshell, because an assertion ends it; the trap removes what it made.
run_scenario() {
	trap home_remove EXIT
	trap 'exit 130' INT TERM HUP
	home_make "$1"
	"scenario_$1"
}

lane_end() {
	trap '' INT TERM HUP
	# the shell ends when its current command has ended
	[ -z "$running" ] || { kill "$running" 2>/dev/null && wait "$running"; }
	registry_stop
	sshd_stop
}

# lane_run N SCENARIOS: runs scenarios that no other lane has taken, until none is left.
lane_run() {
	running=
	trap lane_end EXIT
	trap 'exit 130' INT TERM HUP
	FREE_PORT=$((20000 + (FREE_PORT + $1 * 2000 - 20000) % 11000))
	lane_output=$WORK/output.$1
	if ! registry_make "$WORK/registry.$1" || ! registry_start || ! sshd_start "$WORK/ssh.$1"; then
		echo "FAIL lane $1 (see above)" | tee -a "$WORK/results"
		return
	fi
	for scenario in $2; do
		mkdir "$WORK/taken.$scenario" 2>/dev/null || continue
		# in the background, so that a trap runs at once
		(run_scenario "$scenario") >"$lane_output" 2>&1 &
		running=$!
		if wait "$running"; then
			lane_result="PASS $scenario"
		else
			lane_result="FAIL $scenario"
		fi
		running=
		echo "$lane_result" >>"$WORK/results"
		# one lane at a time
		{
			echo "$lane_result"
			if [ "$lane_result" = "FAIL $scenario" ] || [ -n "${E2E_VERBOSE:-}" ]; then
				sed 's/^/     /' "$lane_output"
			fi
		} | flock "$WORK/printing" cat
	done
}

# chosen SCENARIOS: prints those that match PATTERN.
chosen() {
	for ch_scenario in $1; do
		case $ch_scenario in
		*"$PATTERN"*) echo "$ch_scenario" ;;
		esac
	done
}

# run_lanes HOW_MANY SCENARIOS
run_lanes() {
	lane=0
	while [ "$lane" -lt "$1" ]; do
		(lane_run "$lane" "$2") &
		lane_pids="$lane_pids $!"
		lane=$((lane + 1))
	done
	for lane_pid in $lane_pids; do
		wait "$lane_pid"
	done
	lane_pids=
}

: >"$WORK/results"
if engine_start "$WORK/engine" && need_package flock util-linux && build_service; then
	# the longest first
	together=$(chosen "$SCENARIOS_KILLED$SCENARIOS_SIGNALS$SCENARIOS_CLIENTS$SCENARIOS_CONVERSATION$SCENARIOS_EXAMPLES$SCENARIOS_LOGIN$SCENARIOS_PHASES$SCENARIOS_REHEARSE$SCENARIOS")
	alone=$(chosen "$SCENARIOS_OUTAGES")
	[ -n "$together$alone" ] ||
		echo "FAIL no scenario's name contains '$PATTERN'" | tee "$WORK/results"
	[ -z "$together" ] || run_lanes "$LANES" "$together"
	if engine_is_ours; then
		[ -z "$alone" ] || run_lanes 1 "$alone"
	else
		for scenario in $alone; do
			echo "SKIP $scenario: it ends the engine, which run.sh did not start"
		done
	fi
else
	echo "FAIL the real components (see above)" | tee "$WORK/results"
fi
passed=$(grep -c ^PASS "$WORK/results")
failed=$(grep -c ^FAIL "$WORK/results")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
