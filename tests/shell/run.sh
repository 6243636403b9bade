#!/bin/sh
# run.sh: the shell harness.  Each case has its own tree and service, and a fake docker on PATH.
#
#   tests/shell/run.sh PROGRAM [PATTERN]
#
# PATTERN is an ERE over the names of the cases.  JOBS cases run at a time (8), with the fakes
# in build/; KEEP=1 keeps the trees.  Prints PASS, FAIL (with want and got) or SKIP for each
# case, then the count; exits 1 if one failed, 2 if there is nothing to run.

set -u

here=$(cd "$(dirname "$0")" && pwd)

# run.sh --one FILE CASE, called by xargs below: runs the case in its own tree.
one() {
	tree=$room/$2
	mkdir "$tree"
	began=$(cut -d' ' -f1 /proc/uptime)
	(
		T=$tree
		wrongs=0
		# shellcheck source=SCRIPTDIR/lib.sh
		. "$here/lib.sh"
		# shellcheck disable=SC1090 # one of cases/
		. "$1"
		trap 'teardown' EXIT
		setup
		"test_$2"
		finale
		[ "$wrongs" -gt 0 ] || : >"$T/passed"
	) >"$tree.report" 2>&1
	took=$(cut -d' ' -f1 /proc/uptime | awk -v b="$began" '{ printf "%.1f", $1 - b }')
	say "$2" >"$tree.said"
	head -n 1 "$tree.said" | cut -d " " -f 1 >>"$room/verdicts"
	# the output of two cases must not mix
	flock "$room" cat "$tree.said"
	[ -n "${KEEP-}" ] || rm -rf "$tree"
}

say() { # CASE
	if [ -e "$tree/skipped" ]; then
		echo "SKIP $1: $(cat "$tree/skipped")"
	elif [ -e "$tree/passed" ]; then
		echo "PASS $1 ($took s)"
	else
		echo "FAIL $1 ($took s)"
		cat "$tree.report"
		[ -s "$tree.report" ] || echo '  ended early'
	fi
}

if [ "${1-}" = --one ]; then
	one "$2" "$3"
	exit 0
fi

REPO=$(cd "$here/../.." && pwd)
MOCKS=$REPO/mocks
FAKE=$REPO/build
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
	echo "usage: run.sh PROGRAM [PATTERN]" >&2
	exit 2
fi
if [ ! -x "$1" ] || [ -d "$1" ]; then
	echo "run.sh: no program: $1" >&2
	exit 2
fi
PROGRAM=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
pattern=${2:-.}

[ ! -w /dev/shm ] || grep -q ' /dev/shm .*noexec' /proc/mounts || : "${TMPDIR:=/dev/shm}"
room=$(mktemp -d "${TMPDIR:-/tmp}/twilight-shell.XXXXXX") || exit 2
jobs=
clean() {
	# xargs starts no other case, and ends after the running ones
	[ -z "$jobs" ] || { kill "$jobs" && wait "$jobs"; }
	if [ -n "${KEEP-}" ]; then
		echo "the trees are in $room" >&2
	else
		rm -rf "$room"
	fi
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

SERVICE=$FAKE/service
[ -x "$SERVICE" ] && [ -x "$FAKE/mocks/docker" ] ||
	make -s -C "$REPO" build/service build/mocks/docker || exit 2
export REPO MOCKS FAKE PROGRAM SERVICE room

for file in "$here"/cases/*.sh; do
	sed -n 's/^test_\([a-z0-9_]*\)() {.*/\1/p' "$file" | grep -E -- "$pattern" |
		sed "s|^|$file |"
done >"$room/cases"
if [ ! -s "$room/cases" ]; then
	echo "run.sh: no case is called so: $pattern" >&2
	exit 2
fi
# in the background, so that a trap runs at once
xargs -P "${JOBS:-8}" -n 2 "$here/run.sh" --one <"$room/cases" &
jobs=$!
wait $jobs
jobs=

passed=$(grep -c PASS "$room/verdicts")
failed=$(grep -c FAIL "$room/verdicts")
skipped=$(grep -c SKIP "$room/verdicts")
[ "$skipped" = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ $((passed + skipped)) = "$(wc -l <"$room/cases")" ]
