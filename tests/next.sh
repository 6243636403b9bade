#!/bin/sh
# next.sh [all|sample]: tests with the gcc, curl, OpenSSH, engine and compose of the next
# Debian.  In a root made by debootstrap it runs `make deps`, builds with -Werror, and runs
# the unit suites, the shell harness, the scenarios and the end-to-end tests (`sample`: four
# of them) on that Debian's engine.
#
#   NEXT_CACHE=DIR    keeps the root there for later runs
#   NEXT_SUITE=NAME   the suite; by default testing, else trixie
#   NEXT_RUN=COMMAND  runs this command instead, in a copy of the tree
#
# A run does not change the root: an overlay in memory takes all writes.  All processes end
# with the run.  Prints `SKIP next: why` if no root can be made.
set -u
cd "$(dirname "$0")/.." || exit 1

PACKAGES='openssh-server docker.io docker-cli docker-compose docker-registry iptables jq'
BUILD='make deps && make -j2 WERROR=1 all build/unit build/dotenv build/service &&
	make check-unit check-shell check-scenarios'
E2E='tests/e2e/run.sh build/twilight-deploy'
# shellcheck disable=SC2016 # expanded in the root
VERSIONS='. /etc/os-release; echo "$PRETTY_NAME"; gcc --version | head -n 1
	curl --version | head -n 1 | cut -d " " -f 1,2; ssh -V 2>&1'

skip() {
	echo "SKIP next: $*"
	exit 0
}

# Copies the files that git knows, with uncommitted changes.
copy_tree() {
	mkdir -p "$1" && git ls-files -z | xargs -0 tar -cf - | tar -xf - -C "$1"
}

# -- in new namespaces: next.sh --enter ROOT COMMAND, or --over MEMORY ROOT COMMAND ----------

# The root becomes a mount, because an engine remounts its "/".
enter() {
	mount --make-rprivate / && mount --bind "$1" "$1" && mount -t proc proc "$1/proc" &&
		mount --rbind /dev "$1/dev" && mount --rbind /sys "$1/sys" &&
		mount -t tmpfs tmpfs "$1/run" && mount -t tmpfs tmpfs "$1/tmp" &&
		cp /etc/resolv.conf /etc/hosts "$1/etc/" && cd "$1" &&
		pivot_root . mnt && umount -l /mnt && cd /src || exit 1
	exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive E2E_LANES="${E2E_LANES:-2}" sh -c "$2"
}

over() {
	mount --make-rprivate / && mount -t tmpfs tmpfs "$1" &&
		mkdir "$1/upper" "$1/work" "$1/root" && mount -t overlay -o \
		"lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay "$1/root" || exit 1
	copy_tree "$1/root/src" || exit 1
	enter "$1/root" "$3"
}

case ${1:-all} in
--enter) enter "$2" "$3" ;;
--over) over "$2" "$3" "$4" ;;
esac

# -- the root ------------------------------------------------------------------------

# In the background, so that a trap runs at once; all processes in the namespace end with it.
inside() {
	unshare -m -p --fork --kill-child "$PWD/tests/next.sh" "$@" &
	running=$!
	wait $running
	in_code=$?
	running=
	return $in_code
}

# The mirror in this machine's sources.
mirror() (
	E2E_LIB=tests/e2e
	# shellcheck source=tests/e2e/engine.sh
	. tests/e2e/engine.sh
	engine_next_sources "$work" "$1"
	awk 'tolower($1) == "uris:" { print $2; exit }
		$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\//) { print $i; exit } }' \
		"$work/next.sources" "$work/next.list"
)

# make_root SUITE
make_root() {
	root=$cache/$1
	[ ! -e "$root.made" ] || return 0
	from=$(mirror "$1") && [ -n "$from" ] || return 1
	# debootstrap may not know the suite: sid's script makes it too
	script=/usr/share/debootstrap/scripts
	if [ -e "$script/$1" ]; then script=$script/$1; else script=$script/sid; fi
	rm -rf "$root"
	debootstrap --variant=minbase --include=ca-certificates,make,git "$1" "$root" "$from" \
		"$script" || return 1
	# start no service; do not sync; accept a mirror that is no longer updated
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
	echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/90valid"
	copy_tree "$root/src" &&
		inside --enter "$root" "make deps && tests/deps.sh $PACKAGES" || return 1
	rm -rf "$root/src" "$root"/var/cache/apt/archives/*.deb
	: >"$root.made"
}

finish() {
	[ -z "$running" ] || kill -KILL "$running"
	rm -rf "$work"
}

case ${1:-all} in
all) what="$BUILD && $E2E" ;;
sample)
	what=$BUILD
	for name in deploy_good deploy_crash_loop rollback_twice prune_keeps; do
		what="$what && $E2E $name"
	done
	;;
*)
	echo "usage: next.sh [all|sample]" >&2
	exit 2
	;;
esac
[ "$(id -u)" -eq 0 ] || skip "it needs root"
running=
work=$(mktemp -d /tmp/next.XXXXXX) || exit 1
trap finish EXIT
trap 'exit 130' INT TERM HUP
cache=${NEXT_CACHE:-$work/cache}
mkdir -p "$cache" "$work/memory"
tests/deps.sh debootstrap >"$work/log" 2>&1 || skip "no debootstrap: $(tail -n 1 "$work/log")"
for suite in ${NEXT_SUITE:-testing trixie} none; do
	[ "$suite" != none ] || skip "no root of the next Debian from this machine's sources"
	! make_root "$suite" >"$work/log" 2>&1 || break
	echo "next: no root of $suite: $(tail -n 1 "$work/log")"
done
inside --over "$work/memory" "$cache/$suite" "${NEXT_RUN:-$VERSIONS; $what}"
