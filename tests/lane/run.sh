#!/bin/sh
# run.sh PROGRAM [PATTERN]: tests the path from a CI job to the host.
#
# deploy/ci-deploy.sh connects to a real sshd, whose forced command is PROGRAM with the fake
# engine: over plain ssh, and through a ProxyCommand (proxy.sh).  The workflows are linted.
# PATTERN is an ERE over the names of the cases.  JOBS cases run at a time (4), each with an
# sshd.  Prints PASS, FAIL (with want and got) or SKIP for each case, then the count.
set -u

here=$(cd "$(dirname "$0")" && pwd)
REPO=$(cd "$here/../.." && pwd)
MOCKS=$REPO/mocks
FAKE=$REPO/build
SERVICE=$FAKE/service
if [ $# -lt 1 ] || [ ! -x "$1" ]; then
	echo "usage: run.sh PROGRAM [PATTERN]" >&2
	exit 2
fi
PROGRAM=$(realpath "$1")
pattern=${2:-.}
unset SSH_ORIGINAL_COMMAND SSH_CONNECTION SSH_CLIENT

# shellcheck source=tests/e2e/sshd.sh
E2E_LIB=$REPO/tests/e2e . "$REPO/tests/e2e/sshd.sh"

room=$(mktemp -d "${TMPDIR:-/tmp}/twilight-lane.XXXXXX") || exit 2
clean() {
	# shellcheck disable=SC2086 # some numbers
	[ -z "$lanes" ] || { kill $lanes && wait; } 2>/dev/null
	if [ -n "${KEEP-}" ]; then echo "the trees are in $room" >&2; else rm -rf "$room"; fi
}
lanes=
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[ -x "$SERVICE" ] && [ -x "$FAKE/mocks/docker" ] ||
	make -s -C "$REPO" build/service build/mocks/docker || exit 2
need_package jq jq && need_package flock util-linux || exit 2

one() { # FILE CASE TREE
	mkdir -p "$3"
	(
		T=$3
		# shellcheck source=tests/shell/lib.sh
		. "$REPO/tests/shell/lib.sh"
		# shellcheck source=tests/lane/lib.sh
		. "$here/lib.sh"
		# shellcheck disable=SC1090 # one of cases/
		. "$1"
		trap 'teardown' EXIT
		setup
		lane_setup
		"$2"
		finale
		lane_finale
		[ "$wrongs" -gt 0 ] || : >"$T/passed"
	) >"$3.report" 2>&1 3<&- 9>&-
}

say() { # CASE TREE
	if [ -e "$2/skipped" ]; then
		echo "SKIP $1: $(cat "$2/skipped")"
	elif [ -e "$2/passed" ]; then
		echo "PASS $1"
	else
		echo "FAIL $1"
		cat "$2.report"
		[ -s "$2.report" ] || echo "  ended early"
	fi
}

# Reads the next case; all lanes share descriptor 3.
next() {
	flock 9
	read -r file case <&3
	next=$?
	flock -u 9
	return $next
}

# lane N: runs cases one after the other, with one sshd.
lane() {
	exec 9>"$room/lock"
	trap 'sshd_stop' EXIT
	trap 'exit 143' TERM
	flock 9
	sshd_start "$room/ssh$1" 3<&- 9>&- || exit 2
	flock -u 9
	while next; do
		one "$file" "test_$case" "$room/$case"
		say "$case" "$room/$case" >"$room/$case.said"
		cat "$room/$case.said"
		head -n 1 "$room/$case.said" | cut -d' ' -f1 >>"$room/verdicts"
		[ -n "${KEEP-}" ] || rm -rf "${room:?}/$case"
	done
}

for file in "$here"/cases/*.sh; do
	sed -n 's/^test_\([a-z0-9_]*\)() {.*/\1/p' "$file" | grep -E -- "$pattern" | sed "s|^|$file |"
done >"$room/cases"
if [ ! -s "$room/cases" ]; then
	echo "run.sh: nothing was run: $pattern" >&2
	exit 2
fi
exec 3<"$room/cases"
for n in $(seq "${JOBS:-4}"); do
	lane "$n" &
	lanes="$lanes $!"
done
wait
lanes=
count() { grep -c "^$1" "$room/verdicts"; }
echo "$(count PASS) passed, $(count FAIL) failed"
[ "$(count FAIL)" = 0 ] && [ "$(count .)" = "$(wc -l <"$room/cases")" ]
