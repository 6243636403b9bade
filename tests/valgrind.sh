#!/bin/sh
# valgrind.sh: the shell harness and the scenarios with the program under memcheck.
#
#   tests/valgrind.sh PROGRAM [all|sample]
#
# A finding ends the program with 99, which no test accepts; the findings are printed at the
# end.  docker and the service run without valgrind.  MEMCHECK=1 is set for the cases.
set -u
case ${2:-all} in
all) cases=. rows=. ;;
# a deploy, rollbacks, recoveries, odd files, hostile answers
sample)
	cases='^(swap|ambiguous_env_file|history_file|memory_status)$
^(evidence_is_escaped|docker_talks_much|lies)$'
	rows='^(good|g_never|g_garbage|r_up_limit|b_tag|p_keep_2|x_pull|x_up|x_rollback|x_junk|t_good)$'
	;;
*) set -- ;;
esac
[ $# -ge 1 ] || {
	echo "usage: valgrind.sh PROGRAM [all|sample]" >&2
	exit 2
}
here=$(cd "$(dirname "$0")" && pwd)
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
room=$(mktemp -d) || exit 2
trap 'rm -rf "$room"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cat >"$room/twilight-deploy" <<END
#!/bin/sh
exec '$(command -v valgrind)' -q --error-exitcode=99 --leak-check=full \\
	--log-file='$room/found/%p' \\
	'$program' "\$@"
END
mkdir "$room/found"
# some cases run it as another user
chmod 755 "$room" "$room/twilight-deploy"
chmod 1777 "$room/found"
export MEMCHECK=1 LIMIT="${LIMIT:-300}"
rc=0
"$here/shell/run.sh" "$room/twilight-deploy" "$cases" || rc=1
"$here/scenarios/run.sh" "$room/twilight-deploy" "$rows" || rc=1
cat "$room"/found/* 2>/dev/null
exit $rc
