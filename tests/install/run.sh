#!/bin/sh
# run.sh PROGRAM: the installer, first into a folder, then for real in a throw-away
# root, with its own sshd and a real engine.  `PASS name`, `FAIL name` or `SKIP name:
# why` for each case, `N passed, N failed` at the end.
set -u

TREE=$(cd "$(dirname "$0")/../.." && pwd)
E2E_LIB=$TREE/tests/e2e
export E2E_LIB
# shellcheck source=tests/e2e/engine.sh
. "$E2E_LIB/engine.sh"

case ${1:-} in
'')
	echo "usage: run.sh PROGRAM" >&2
	exit 2
	;;
/*) PROGRAM=$1 ;;
*) PROGRAM=$PWD/$1 ;;
esac
[ -x "$PROGRAM" ] || {
	refuse "no program at $PROGRAM: make it first"
	exit 1
}
PATH=$PATH:/usr/sbin:/sbin
export PATH
# short: the engine's sockets lie under it
WORK=$(mktemp -d /tmp/inst.XXXXXX) || exit 1

cleanup() {
	trap '' INT TERM HUP
	engine_stop
	rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

need_package sshd openssh-server && need_package ssh-keygen openssh-client || exit 1
/usr/bin/python3 -c 'import yaml' 2>/dev/null ||
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q python3-yaml >/dev/null

: >"$WORK/results"
results() { tee -a "$WORK/results"; }

"$TREE/tests/install/dry.sh" "$PROGRAM" "$WORK" | results
if [ "$(id -u)" -ne 0 ]; then
	echo 'SKIP throw_away_root: needs root' | results
elif ! unshare --mount "$TREE/tests/install/root.sh" --probe "$WORK"; then
	echo 'SKIP throw_away_root: no overlay of / can be mounted here' | results
elif engine_start "$WORK/engine"; then
	export ENGINE_DIR
	unshare --mount "$TREE/tests/install/root.sh" "$PROGRAM" "$WORK" | results
else
	echo 'FAIL the real components (see above)' | results
fi
passed=$(grep -c ^PASS "$WORK/results")
failed=$(grep -c ^FAIL "$WORK/results")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
