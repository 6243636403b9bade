#!/bin/sh
# run.sh PROGRAM [all|sample]: kills and fails the program at every system call.
# points.c describes what is done and what must hold; disk.sh does the same with full disks.
#
#   JOBS=N       workers (default: the number of processors)
#   ONLY=TEXT    only points whose printed name contains TEXT: "kill deploy memory fsync:3"
#   EXCEPT=CALLS without points at these calls, separated by spaces
#   LOUD=1       prints each command and its output
#   KEEP=1       keeps the work folder
#   FULL=1       checks equal states again (see points.c)
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "$1")
mode=${2:-all}
case $mode in
all | sample) ;;
*)
	echo "usage: run.sh PROGRAM [all|sample]" >&2
	exit 2
	;;
esac
"$root/tests/deps.sh" strace
work=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/crash.XXXXXX")
# shellcheck disable=SC2317 # the trap calls it
finish() {
	cat "$work"/*/*.pid 2>/dev/null | xargs -r kill
	if [ -n "${KEEP-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

${CC:-cc} -std=c11 -O2 -Wall -Wextra -o "$work/points" "$root"/tests/crash/points.c \
	"$root"/tests/crash/list.c "$root"/tests/crash/fds.c "$root"/tests/crash/world.c \
	"$root"/tests/crash/tree.c -ljansson
${CC:-cc} -std=c11 -O2 -Wall -Wextra -shared -fPIC -o "$work/short.so" \
	"$root/tests/crash/short.c" -ldl
make -s -C "$root" build/service build/mocks/docker
cp -R "$root/mocks/silent" "$work/"
cp -R "$root/build/mocks" "$work/bin"
ssh-keygen -q -t ed25519 -N '' -C test -f "$work/key"
echo "ci $(cat "$work/key.pub")" >"$work/signers"
cp "$root/build/service" "$root/build/engine" "$root/deploy/compose.yml" "$root/tests/bench/plain-deploy.sh" "$work/"
code=0
[ -n "${ONLY-}" ] || "$root/tests/crash/disk.sh" "$program" || code=1
"$work/points" "$program" "$mode" "${JOBS:-$(nproc)}" "$work" || code=1
exit $code
