# shellcheck shell=sh
# begin.sh: for run.sh of this folder and of tests/docs: a work folder, the engine, the
# count.  Sourced by them; needs TREE.
#
#   results                      passes on and counts the results of a script
#   with_roots NAME COMMAND…     runs it where throw-away roots can be mounted, with an
#                                engine; else NAME is skipped, or fails
#   tally                        prints the last line; returns the exit code

E2E_LIB=$TREE/tests/e2e
export E2E_LIB
# shellcheck source=tests/e2e/engine.sh
. "$E2E_LIB/engine.sh"
PATH=$PATH:/usr/sbin:/sbin
export PATH
# a short path, because the engine's sockets are in it
WORK=$(mktemp -d /tmp/inst.XXXXXX) || exit 1
: >"$WORK/results"

cleanup() {
	trap '' INT TERM HUP
	engine_stop
	rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

results() { tee -a "$WORK/results"; }

with_roots() {
	wr_name=$1
	shift
	if [ "$(id -u)" -ne 0 ]; then
		echo "SKIP $wr_name: needs root" | results
	elif ! unshare --mount "$TREE/tests/install/root.sh" --probe "$WORK"; then
		echo "SKIP $wr_name: no overlay of / can be mounted here" | results
	elif engine_start "$WORK/engine"; then
		export ENGINE_DIR
		{ "$@" || echo "FAIL $wr_name: ended with $?"; } | results
	else
		echo 'FAIL the real components (see above)' | results
	fi
}

tally() {
	tally_failed=$(grep -c ^FAIL "$WORK/results")
	echo "$(grep -c ^PASS "$WORK/results") passed, $tally_failed failed"
	[ "$tally_failed" -eq 0 ]
}
