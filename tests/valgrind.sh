#!/bin/sh
# valgrind.sh: the shell harness with the program under memcheck.
#
#   tests/valgrind.sh PROGRAM [all|sample]
#
# What memcheck finds makes the program end with 99, which no case takes for an
# answer; its words are printed at the end.  docker and the service run as they are.
# MEMCHECK=1 tells the cases.
set -u
case ${2:-all} in
all) cases=. ;;
# a deploy, the ways back, a killed one mended, odd files, a lying peer
sample) cases='^(swap|swap_keeps_spelling|ambiguous_env_file|history_file|unreadable_journal)$
^memory_(deploy|new_is_bad|rollback_to_a_tag|killed_in_the_pull|status|keep)$
^(peer_talks_garbage|peer_sends_a_huge_header|evidence_is_escaped)$
^(docker_talks_much|up_hangs)$' ;;
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
# some cases ask as another user
chmod 755 "$room" "$room/twilight-deploy"
chmod 1777 "$room/found"
MEMCHECK=1 LIMIT=${LIMIT:-300} "$here/shell/run.sh" "$room/twilight-deploy" "$cases"
rc=$?
cat "$room"/found/* 2>/dev/null
exit $rc
