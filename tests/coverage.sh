#!/bin/sh
# Line coverage of src/ by the unit suites, the shell harness and the scenarios.  Fails below
# COVERAGE_AIM percent (85).
set -u
cd "$(dirname "$0")/.." || exit 1
aim=${COVERAGE_AIM:-85}

find build/coverage -name '*.gcda' -delete
tests/unit/run.sh build/coverage/unit >/dev/null || exit 1
tests/shell/run.sh build/coverage/twilight-deploy >/dev/null || exit 1
tests/scenarios/run.sh build/coverage/twilight-deploy >/dev/null || exit 1
gcovr --root . --object-directory build/coverage --filter 'src/' \
	--gcov-ignore-parse-errors --exclude-throw-branches --print-summary --fail-under-line "$aim"
