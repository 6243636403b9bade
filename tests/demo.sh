#!/bin/sh
# demo.sh PROGRAM SERVICE: shows the main functions in a minute.
#
# It deploys two versions and a bad one, which is rolled back, and sends a bad request: over
# a real ssh connection if sshd is installed, on a real Docker engine if one answers.
# Otherwise it says so and uses stand-ins: it runs the forced command as sshd would, and
# docker is the fake engine, mocks/engine.c.
# All files are in a temporary folder, which is removed at the end.  Exits with 0 only if
# every step had the expected result.
# shellcheck disable=SC2015,SC2016,SC2317 # a trap calls cleanup; say never fails
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
program=$(realpath "$1")
service=$(realpath "$2")
E2E_LIB=$root/tests/e2e
# shellcheck source=tests/e2e/engine.sh
. "$E2E_LIB/engine.sh"
# shellcheck source=tests/e2e/sshd.sh
. "$E2E_LIB/sshd.sh"

work=$(mktemp -d /tmp/demo.XXXXXX) || exit 1
home=$work/twilight
service_pid=
engine_pid=
engine=fake
ssh=no
wrong=0
mkdir -p "$home/source/deploy"

cleanup() {
	trap '' INT TERM
	sshd_stop
	# shellcheck disable=SC2086 # none, or one
	kill $service_pid $engine_pid 2>/dev/null
	if [ "$engine" = real ]; then
		docker compose -p "$project" -f "$home/source/deploy/compose.yml" \
			--env-file "$home/.env" down -v -t 1 >/dev/null 2>&1
		docker image ls --format '{{.Repository}}:{{.Tag}}' |
			grep -E "^($repository|twilight-deploy/$project.data):" |
			xargs -r docker image rm -f >/dev/null 2>&1
		registry_stop
	fi
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say() { printf '\n# %s\n' "$*"; }

# --- a host: .env, a compose file, versions in the registry --------------------

free_port
port=$FREE_PORT
project=demo$$

real_engine() {
	docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1 || return 1
	engine_compose_works || return 1
	ENGINE_DIR=$work/engine
	mkdir -p "$ENGINE_DIR"
	need_package docker-registry docker-registry >/dev/null 2>&1 || return 1
	registry_install >/dev/null && registry_make "$work/registry" >/dev/null &&
		registry_start || return 1
	engine=real
	repository=$ENGINE_REGISTRY/twilight-demo
	mkdir -p "$work/image"
	cp "$service" "$work/image/service"
	publish v1.0.0 healthy && publish v1.1.0 healthy && publish v1.2.0 never
}

publish() {
	{
		sed '/^ENTRYPOINT/d' "$root/deploy/Dockerfile"
		echo "ENV SERVICE_BEHAVIOUR=$2"
		echo 'ENTRYPOINT ["/service"]'
	} >"$work/Dockerfile"
	DOCKER_BUILDKIT=0 docker build -q -f "$work/Dockerfile" --build-arg VERSION="$1" \
		-t "$repository:$1" "$work/image" >/dev/null 2>"$work/build.log" &&
		docker push -q "$repository:$1" >/dev/null 2>>"$work/build.log" &&
		docker image rm "$repository:$1" >/dev/null || {
		cat "$work/build.log" >&2
		return 1
	}
}

fake_engine() {
	repository=registry.example/twilight-demo
	memory=$work/memory
	mkdir -p "$memory/behaviour"
	echo "$repository" >"$memory/repository"
	echo "$project" >"$memory/project"
	for v in 0 1 2; do
		echo "$repository:v1.$v.0 sha256:$(printf "%064d" "$v")" >>"$memory/registry"
	done
	echo never >"$memory/behaviour/v1.2.0"
	echo down >"$memory/control"
	"$service" --port "$port" --control "$memory/control" >/dev/null 2>&1 &
	service_pid=$!
	"$root/build/engine" serve --die-with-parent "$memory" &
	engine_pid=$!
	PATH=$root/build/mocks:$PATH
	DOCKER_HOST=unix://$memory/docker.sock
	export PATH DOCKER_HOST
	until [ -S "$memory/docker.sock" ]; do sleep 0.02; done
}

real_engine || fake_engine
cat >"$home/.env" <<ENV
# the settings of the service; a deploy changes only the version
TWILIGHT_IMAGE=$repository
TWILIGHT_PORT=$port
API_KEY=s3cret
TWILIGHT_VERSION=v1.0.0
ENV
sed "s/^name: .*/name: $project/" "$root/deploy/compose.yml" >"$home/source/deploy/compose.yml"

set -- "TWILIGHT_HOME=$home" "TWILIGHT_HEALTH_URL=http://localhost:$port/healthz" \
	TWILIGHT_HEALTH_TRIES=3 TWILIGHT_HEALTH_SLEEP=1 TWILIGHT_HEALTH_SETTLE=1 \
	TWILIGHT_DISK_MIN=10M "PATH=$PATH" "DOCKER_HOST=${DOCKER_HOST:-}" \
	"DOCKER_CONFIG=${DOCKER_CONFIG:-$HOME/.docker}"

# --- the connection -------------------------------------------------------------

if PATH=$PATH:/usr/sbin:/sbin command -v sshd >/dev/null 2>&1; then
	sshd_start "$work/ssh" 2>"$work/sshd.log" && sshd_keys "$program" "$@" && ssh=yes
fi

ask() {
	role=$1
	shift
	if [ $ssh = yes ]; then
		ssh_as "$role" "$@"
		return
	fi
	if [ "$role" = ci ]; then allow=; else allow='--allow all'; fi
	# shellcheck disable=SC2086 # no option or two words
	env -i "SSH_ORIGINAL_COMMAND=$*" sh -c '
		while read -r line; do export "$line"; done <"$0"; exec "$@"' \
		"$work/settings" "$program" --actor "$role" $allow
}
for setting in "$@"; do printf '%s\n' "$setting"; done >"$work/settings"

# show WHO CODE WORDS...: sends a request, and checks its exit code
show() {
	who=$1
	want=$2
	shift 2
	printf '\n$ ssh %s@host %s\n' "$who" "$*"
	ask "$who" "$@" 2>&1
	rc=$?
	echo "[exit $rc]"
	[ $rc -eq "$want" ] || {
		echo "demo: expected exit $want" >&2
		wrong=1
	}
}

serves() {
	got=$(curl -s "http://localhost:$port/health/version" | tr -d ' \n' |
		sed 's/.*"image_tag":"\([^"]*\)".*/\1/')
	printf '\n$ curl http://localhost:%s/health/version   # %s\n' "$port" "$got"
	[ "$got" = "$1" ] || {
		echo "demo: expected $1" >&2
		wrong=1
	}
}

[ $ssh = yes ] && say "a real sshd and ssh client; the key can run one program" ||
	say "no sshd is installed: the forced command is run as sshd would run it"
[ $engine = real ] && say "a real Docker engine, $(docker version -f '{{.Server.Version}}')" ||
	say "no Docker engine answers: the fake engine is used"

say "a first version"
show ci 0 deploy v1.0.0
say "the next one"
show ci 0 deploy v1.1.0
serves v1.1.0
say "a bad release never becomes healthy: the previous one runs again"
show ci 1 deploy v1.2.0
serves v1.1.0
say "an invalid request"
show ci 2 'deploy v1.1.0; cat .env'
say "this key may not roll back; the operator's key may"
show ci 2 rollback
show operator 0 rollback
serves v1.0.0
show ci 0 history
if grep -q 'API_KEY=s3cret' "$home/.env" && [ $wrong -eq 0 ]; then
	say "all as expected"
	exit 0
fi
say "something went wrong, see above"
exit 1
