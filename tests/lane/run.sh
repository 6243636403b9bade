#!/bin/sh
# run.sh PROGRAM [PATTERN]: the lane from a CI job to the host.
#
# deploy/ci-deploy.sh asks a real sshd, whose forced command is the real PROGRAM over
# the fake engine: by plain ssh, and through a ProxyCommand that carries, refuses, hangs or cuts
# (proxy.sh); and the linters read the workflows.  PATTERN is an ERE over the cases' names.
# Prints PASS, FAIL (with want and got) or SKIP for each, then the count.
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
	sshd_stop
	if [ -n "${KEEP-}" ]; then echo "the trees are in $room" >&2; else rm -rf "$room"; fi
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[ -x "$SERVICE" ] && [ -x "$FAKE/mocks/docker" ] ||
	make -s -C "$REPO" build/service build/mocks/docker || exit 2
need_package jq jq && need_package flock util-linux && sshd_start "$room/ssh" || exit 2

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
	) >"$3.report" 2>&1
}

passed=0 failed=0
for file in "$here"/cases/*.sh; do
	# shellcheck disable=SC2013 # names have no blanks
	for case in $(sed -n 's/^test_\([a-z0-9_]*\)() {.*/\1/p' "$file" | grep -E -- "$pattern"); do
		tree=$room/$case
		one "$file" "test_$case" "$tree"
		if [ -e "$tree/skipped" ]; then
			printf 'SKIP %s: %s\n' "$case" "$(cat "$tree/skipped")"
		elif [ -e "$tree/passed" ]; then
			passed=$((passed + 1))
			echo "PASS $case"
		else
			failed=$((failed + 1))
			echo "FAIL $case"
			cat "$tree.report"
			[ -s "$tree.report" ] || echo "  ended early"
		fi
		[ -n "${KEEP-}" ] || rm -rf "$tree"
	done
done
if [ $((passed + failed)) = 0 ]; then
	echo "run.sh: nothing was run: $pattern" >&2
	exit 2
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
