#!/bin/sh
# run.sh: the plain-shell harness.  Each case has its own tree, its own service on
# a port of its own, and a docker that is a mock found on PATH.
#
#   tests/shell/run.sh PROGRAM [PATTERN]
#
# PATTERN is an ERE over the cases' names.  JOBS cases run at a time (6); SERVICE is
# a built mocks/service.c (else it is built here); KEEP=1 leaves the trees.
# Prints PASS, FAIL (with want and got) or SKIP for each case, then the count;
# exits 1 when one failed, 2 when there is nothing to run.

set -u

here=$(cd "$(dirname "$0")" && pwd)
REPO=$(cd "$here/../.." && pwd)
MOCKS=$REPO/mocks

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

room=$(mktemp -d "${TMPDIR:-/tmp}/twilight-shell.XXXXXX") || exit 2
clean() {
	if [ -n "${KEEP-}" ]; then
		echo "the trees are in $room" >&2
	else
		rm -rf "$room"
	fi
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

SERVICE=${SERVICE:-$room/service}
if [ ! -x "$SERVICE" ]; then
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -o "$SERVICE" "$MOCKS/service.c" || exit 2
fi
export REPO MOCKS PROGRAM SERVICE

# one FILE CASE TREE: runs it, leaves its report and its verdict beside the tree.
one() {
	mkdir -p "$3"
	(
		T=$3
		wrongs=0
		# shellcheck source=SCRIPTDIR/lib.sh
		. "$here/lib.sh"
		# shellcheck disable=SC1090 # one of cases/
		. "$1"
		trap 'teardown' EXIT
		setup
		"$2"
		finale
		[ "$wrongs" -gt 0 ] || : >"$T/passed"
	) >"$3.report" 2>&1
}

say() { # CASE TREE
	if [ -e "$2/skipped" ]; then
		skipped=$((skipped + 1))
		printf 'SKIP %s: %s\n' "$1" "$(cat "$2/skipped")"
	elif [ -e "$2/passed" ]; then
		passed=$((passed + 1))
		printf 'PASS %s\n' "$1"
	else
		failed=$((failed + 1))
		printf 'FAIL %s\n' "$1"
		cat "$2.report"
		[ -s "$2.report" ] || printf '  ended early\n'
	fi
	[ -n "${KEEP-}" ] || rm -rf "$2"
}

passed=0 failed=0 skipped=0
batch=''
batched=0

# A batch ends when its slowest case has: POSIX has no `wait -n`.
flush() {
	wait
	for c in $batch; do
		say "$c" "$room/$c"
	done
	batch=''
	batched=0
}

names() {
	sed -n 's/^test_\([a-z0-9_]*\)() {.*/\1/p' "$1" | grep -E -- "$pattern"
}

for file in "$here"/cases/*.sh; do
	# shellcheck disable=SC2013 # names have no blanks, and `wait` must see the jobs
	for case in $(names "$file"); do
		one "$file" "test_$case" "$room/$case" &
		batch="$batch $case"
		batched=$((batched + 1))
		[ $batched -lt "${JOBS:-6}" ] || flush
	done
done
flush

if [ $((passed + failed + skipped)) = 0 ]; then
	echo "run.sh: no case is called so: $pattern" >&2
	exit 2
fi
[ $skipped = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
