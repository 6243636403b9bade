#!/bin/sh
# run.sh PROGRAM: the installer, first as a dry run, then for real in a throw-away root,
# with its own sshd and a real engine.  `PASS name`, `FAIL name` or `SKIP name: why` for
# each case, `N passed, N failed` at the end.
set -u

TREE=$(cd "$(dirname "$0")/../.." && pwd)
case ${1:-} in
'')
	echo "usage: run.sh PROGRAM" >&2
	exit 2
	;;
/*) PROGRAM=$1 ;;
*) PROGRAM=$PWD/$1 ;;
esac
# shellcheck source=tests/install/begin.sh
. "$TREE/tests/install/begin.sh"
[ -x "$PROGRAM" ] || {
	refuse "no program at $PROGRAM: make it first"
	exit 1
}
need_package sshd openssh-server && need_package ssh-keygen openssh-client || exit 1
/usr/bin/python3 -c 'import yaml' 2>/dev/null ||
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q python3-yaml >/dev/null

"$TREE/tests/install/dry.sh" "$PROGRAM" "$WORK" | results
with_roots throw_away_root unshare --mount "$TREE/tests/install/root.sh" "$PROGRAM" "$WORK"
tally
