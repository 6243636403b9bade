#!/bin/sh
# run.sh UNIT: all suites of a built build/unit, each case a job, some at a time: much of
# their time is waiting, most of all in Limits.  JOBS says how many (12).
set -u
for case in Limits Hostile Core; do
	seq -f "%g $case" 0 $(($("$1" count) - 1))
done | xargs -P "${JOBS:-12}" -n 2 "$1"
