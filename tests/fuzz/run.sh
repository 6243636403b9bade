#!/bin/sh
# run.sh: each target for a while, from the seeds in corpus/ and from what earlier
# runs found (build/fuzz/corpus/).
#
#   tests/fuzz/run.sh SECONDS PROGRAM…
#
# Prints a line for each: executions, edges covered, inputs kept.  An input that
# breaks a target is left in build/fuzz/TARGET-…, and the run fails.
set -u
cd "$(dirname "$0")/../.." || exit 2
[ $# -ge 2 ] || {
	echo "usage: run.sh SECONDS PROGRAM..." >&2
	exit 2
}
seconds=$1
shift
passed=0 failed=0
# what a target keeps in files, in memory where there is such a place
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
	# an input takes microseconds; the limits only catch what runs away
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
