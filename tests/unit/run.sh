#!/bin/sh
# run.sh UNIT: all suites of a built build/unit, some at a time: much of their time is
# waiting.  JOBS says how many (8).
set -u
unit=$1
jobs=${JOBS:-8}
seq 0 $((jobs - 1)) | xargs -P "$jobs" -I '{}' "$unit" '{}' "$jobs"
