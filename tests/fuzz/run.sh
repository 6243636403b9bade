#!/bin/sh
# run.sh: runs each target with the seeds in corpus/ and the inputs of earlier runs
# (build/fuzz/corpus/).
#
#   tests/fuzz/run.sh SECONDS PROGRAM…
#
# Prints executions, covered edges and kept inputs of each.  An input that breaks a target
# is saved as build/fuzz/TARGET-…, and the run fails.
set -u
cd "$(dirname "$0")/../.." || exit 2
[ $# -ge 2 ] || {
	echo "usage: run.sh SECONDS PROGRAM..." >&2
	exit 2
}
seconds=$1
shift
passed=0 failed=0
# the targets' files, in memory if possible
TMPDIR=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit 2
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for program; do
	target=${program##*/fuzz-}
	found=build/fuzz/corpus/$target
	log=build/fuzz/$target.log
	mkdir -p "$found"
	# an input takes microseconds; the limits are for hangs
	if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="build/fuzz/$target-" \
		"$found" "tests/fuzz/corpus/$target" >"$log" 2>&1 </dev/null; then
		passed=$((passed + 1))
		verdict=PASS
	else
		failed=$((failed + 1))
		verdict=FAIL
	fi
	printf '%s fuzz %s: %s executions, %s edges, %s inputs\n' $verdict "$target" \
		"$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
		"$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)" \
		"$(sed -n 's,.* corp: \([0-9]*\)/.*,\1,p' "$log" | tail -n 1)"
	[ $verdict = PASS ] || grep -E 'broken:|ERROR:|Test unit written|#[0-9]+ .* in ' "$log" |
		head -n 20
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
