#!/bin/sh
# stand-in.sh PROGRAM ARGS…: the forced command of these tests.
#
# LANE_EXIT=N makes it end with N and LANE_SAYS on stderr, for codes that the program
# ends with in no case that a test could make.  Where LANE_OLD is set it also does the
# words that PROGRAM does not know yet: `seq=N`, `--json` and `status --wait`.
set -u
program=$1
shift
if [ -n "${LANE_EXIT-}" ]; then
	printf '%s\n' "${LANE_SAYS-}" >&2
	exit "$LANE_EXIT"
fi
[ -n "${LANE_OLD-}" ] || exec "$program" "$@"

history=$TWILIGHT_HOME/.twilight-deploy/history.jsonl
words=$SSH_ORIGINAL_COMMAND
case $words in
"status --wait")
	flock "$TWILIGHT_HOME/.twilight-deploy/lock" true
	SSH_ORIGINAL_COMMAND=status "$program" "$@"
	exit "$(tail -n 1 "$history" | jq -r .code)"
	;;
*" --json")
	SSH_ORIGINAL_COMMAND=$(echo "${words% --json}" | sed 's/ seq=[0-9]*//')
	export SSH_ORIGINAL_COMMAND
	"$program" "$@" >&2
	code=$?
	[ $code -gt 1 ] || tail -n 1 "$history"
	exit $code
	;;
esac
exec "$program" "$@"
