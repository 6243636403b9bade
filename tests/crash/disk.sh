#!/bin/sh
# disk.sh PROGRAM: .env and the state folder on a small tmpfs that is read-only or full
# except for a few pages, in a mount namespace.
#
# In all cases the exit code is one of 0 to 5 and true, .env has its old or new bytes, no
# record is torn, and a message names the place.  With free space `recover` and the next
# deploy work, and nothing is left.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
if [ -z "${DISK_INSIDE-}" ]; then
	program=$(realpath "$1")
	if ! unshare -rm true 2>/dev/null; then
		echo "disk: skipped, no mount namespace here"
		exit 0
	fi
	work=$(mktemp -d /tmp/disk.XXXXXX)
	trap 'rm -rf "$work"' EXIT
	mkdir "$work/home" "$work/engine"
	DISK_INSIDE=$work unshare -rm "$0" "$program"
	exit
fi

program=$1
work=$DISK_INSIDE
home=$work/home
state=$home/.twilight-deploy
engine=$work/engine
passed=0 failed=0

"$root/build/service" --address 127.0.0.1 --port 0 --port-file "$work/port" \
	--control "$engine/control" >/dev/null 2>&1 &
service=$!
trap 'kill $service' EXIT
until [ -s "$work/port" ]; do sleep 0.02; done
read -r port <"$work/port"
"$root/build/engine" serve --die-with-parent "$engine" &
until [ -S "$engine/docker.sock" ]; do sleep 0.02; done
export PATH="$root/build/mocks:$PATH" DOCKER_HOST="unix://$engine/docker.sock"
export TWILIGHT_HOME="$home" TWILIGHT_DISK_MIN=0
export TWILIGHT_HEALTH_URL="http://127.0.0.1:$port/healthz"
export TWILIGHT_HEALTH_TRIES=2 TWILIGHT_HEALTH_SLEEP=0 TWILIGHT_HEALTH_SETTLE=0

wrong() {
	wrongs=$((wrongs + 1))
	printf 'VIOLATION %s: %s\n' "$label" "$1"
}

image() {
	printf 'sha256:%064d' "$1"
}

fresh() {
	find "$engine" -mindepth 1 ! -name docker.sock -delete
	mkdir "$engine/behaviour"
	for i in 1 2 3 4; do
		printf 'ghcr.io/twilight/demo:sha-000000%s %s\n' $i "$(image $i)"
	done >"$engine/registry"
	echo never >"$engine/behaviour/$(image 3)"
	echo "down -" >"$engine/control"
	mount -t tmpfs -o size=256k tmpfs "$home"
	mkdir -p "$home/source/deploy"
	cp "$root/deploy/compose.yml" "$home/source/deploy/"
	printf 'TWILIGHT_VERSION=sha-0000001\nSECRET=hunter2\n' >"$home/.env"
	chmod 600 "$home/.env"
	ask deploy sha-0000001
	[ $rc = 0 ] || wrong "cannot begin: $said"
	wrongs=0
}

ask() {
	timeout 60 "$program" "$@" >"$work/out" 2>&1
	rc=$?
	said=$(tail -n 3 "$work/out" | tr '\n' ' ')
}

version() {
	sed -n 's/^TWILIGHT_VERSION=sha-000000//p' "$home/.env"
}

serves() { # VERSION WHEN
	[ "$(cat "$home/.env")" = "TWILIGHT_VERSION=sha-000000$1
SECRET=hunter2" ] || wrong "$2: .env does not say $1, whole"
	case $(cat "$engine/containers") in
	*" twilight-data-1 $(image "$1") ghcr.io/twilight/demo:sha-000000$1 running "*) ;;
	*) wrong "$2: $1 does not run" ;;
	esac
}

judge() { # TO
	case $rc in
	0) serves "$1" "exit 0" ;;
	[1-4]) serves 1 "exit $rc" ;;
	5) ;;
	*) wrong "exit code $rc: $said" ;;
	esac
	if [ $rc != 0 ] && [ "$1" != 3 ]; then
		grep -qi -e 'space left' -e 'read-only file system' "$work/out" ||
			wrong "exit $rc does not say that the disk is the cause: $said"
	fi
	[ $rc != 0 ] || [ "$1" != 3 ] || wrong "exit 0 for what is never healthy"
	if [ $rc = 4 ]; then
		case $said in
		*"state folder"* | *"$home"* | *up.lock* | *TWILIGHT_*) ;;
		*) wrong "exit 4 does not say where: $said" ;;
		esac
	fi
}

afterwards() {
	ask recover
	case $rc in
	0 | 1) ;;
	*) wrong "recover exits with $rc: $said" ;;
	esac
	serves "$(version)" "after recover"
	ask deploy sha-0000004
	[ $rc = 0 ] || wrong "the next deploy exits with $rc: $said"
	serves 4 "at the end"
	left=$(cd "$home" && find . -name 'journal*' -o -name '*.new' -o -name '.env?*' | tr '\n' ' ')
	[ -z "$left" ] || wrong "$left is left"
	grep -qv '^{.*}$' "$state/history.jsonl" && wrong "the history has half a line"
	[ "$(tail -c 1 "$state/history.jsonl" | wc -l)" = 1 ] || wrong "the history's last line is torn"
	umount "$home"
	if [ $wrongs = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# full PAGES REQUEST…: PAGES of 4 KiB are free when it starts.
full() {
	pages=$1
	shift
	label="disk, $pages pages left: $*"
	fresh
	cat /dev/zero >"$home/filler" 2>/dev/null
	truncate -s "-$((pages * 4096))" "$home/filler"
	ask "$@"
	judge "${2#sha-000000}"
	rm "$home/filler"
	afterwards
}

# fills_behind WORDS REQUEST…: the disk is full from docker's first call WORDS on.
fills_behind() {
	words=$1
	shift
	label="disk, full behind docker $words: $*"
	fresh
	mkdir -p "$work/bin"
	cat >"$work/bin/docker" <<END
#!/bin/sh
"$root/build/mocks/docker" "\$@"
code=\$?
case "\$*" in
"$words"*) [ -e "$home/filler" ] || cat /dev/zero >"$home/filler" 2>/dev/null ;;
esac
exit \$code
END
	chmod +x "$work/bin/docker"
	PATH="$work/bin:$PATH" ask "$@"
	judge "${2#sha-000000}"
	rm -f "$home/filler" "$work/bin/docker"
	afterwards
}

read_only() {
	label="disk, read-only: $*"
	fresh
	mount -o remount,ro "$home"
	ask "$@"
	judge "${2#sha-000000}"
	[ $rc = 4 ] || wrong "exit $rc, where 4 is right"
	mount -o remount,rw "$home"
	afterwards
}

for pages in 0 1 2 3 4 5 6 8; do
	full "$pages" deploy sha-0000002
	full "$pages" deploy sha-0000003
done
for words in "compose config" "compose pull" "compose up"; do
	fills_behind "$words" deploy sha-0000002
	fills_behind "$words" deploy sha-0000003
done
read_only deploy sha-0000002
echo "disk: $passed passed, $failed failed"
[ $failed = 0 ]
