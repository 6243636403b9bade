#!/bin/sh
# deps.sh [PACKAGE…]: installs missing packages for building and testing with apt (with sudo
# if not root).  Prints nothing if nothing is missing.
set -u

missing=

# need PACKAGE COMMAND…: the command succeeds if the package is installed
need() {
	package=$1
	shift
	"$@" >/dev/null 2>&1 || missing="$missing $package"
}

header() {
	echo "#include <$1>" | ${CC:-cc} -E - >/dev/null 2>&1
}

need gcc command -v "${CC:-cc}"
need libc6-dev header stdio.h
need make command -v make
need pkg-config command -v pkg-config
need libbsd-dev header bsd/libutil.h
need libmd-dev header sha2.h
need libinih-dev header ini.h
need libjansson-dev header jansson.h
need check header check.h
need openssh-client command -v ssh
need curl command -v curl
need util-linux command -v flock
need procps command -v ps
for package in "$@"; do
	need "$package" dpkg -s "$package"
done

[ -z "$missing" ] && exit 0
echo "installing:$missing"
if ! command -v apt-get >/dev/null; then
	echo "deps: no apt-get; install by hand:$missing" >&2
	exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
	as_root=sudo
	command -v sudo >/dev/null || {
		echo "deps: neither root nor sudo; install by hand:$missing" >&2
		exit 1
	}
fi
log=$(mktemp)
# shellcheck disable=SC2086 # a list of packages
if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive \
	apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 $missing; } >"$log" 2>&1; then
	cat "$log" >&2
	rm -f "$log"
	echo "deps: apt-get failed" >&2
	exit 1
fi
rm -f "$log"
