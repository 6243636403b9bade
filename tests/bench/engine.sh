#!/bin/bash
# engine.sh PROGRAM SERVICE: a deploy on a real engine compared with `docker compose pull` and
# `docker compose up -d` alone, alternating in one run.  Both switch between the same two
# releases, which are in the registry and on the host.  The uptime requirement is 0, because
# it is a wait that a setting requires.
set -euo pipefail

cd "$(dirname "$0")/../.."
program=$(realpath "$1")
service=$(realpath "$2")
rounds=${BENCH_ROUNDS:-7}
work=$(mktemp -d /tmp/bench.XXXXXX)
# shellcheck source=tests/e2e/engine.sh
. tests/e2e/engine.sh
trap 'docker compose -f "$work/home/source/deploy/compose.yml" down >/dev/null 2>&1 || :
engine_stop; rm -rf "$work"' EXIT
engine_start "$work/engine"

# Logs every call of docker with its start time.
calls=$work/calls
real=$(command -v docker)
mkdir -p "$work/bin" "$work/home/source/deploy"
cat >"$work/bin/docker" <<SH
#!/bin/sh
echo "\$(date +%s%3N) \$*" >>$calls
exec $real "\$@"
SH
chmod +x "$work/bin/docker"

free_port
# shellcheck disable=SC2031,SC2153 # set by free_port
port=$FREE_PORT
cat >"$work/home/source/deploy/compose.yml" <<YML
name: bench
services:
  data:
    image: $ENGINE_REGISTRY/bench:\${TWILIGHT_VERSION:?}
    stop_grace_period: 5s
    ports: ["127.0.0.1:$port:8080"]
YML
cp "$service" "$work/service"
for tag in v1.0.0 v1.0.1; do
	echo $tag >"$work/about"
	tar -cf - -C "$work" service about | docker import -c 'ENTRYPOINT ["/service"]' - \
		"$ENGINE_REGISTRY/bench:$tag" >/dev/null
	docker push -q "$ENGINE_REGISTRY/bench:$tag" >/dev/null
done
export TWILIGHT_HOME=$work/home TWILIGHT_HEALTH_SETTLE=0 TWILIGHT_DISK_MIN=1M
export TWILIGHT_HEALTH_URL=http://127.0.0.1:$port/healthz

now() { date +%s%3N; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

deploy() { # TAG
	"$program" --local deploy "$1" >/dev/null 2>"$work/err" || {
		cat "$work/err" >&2
		exit 1
	}
}

ours() { # TAG
	local began
	began=$(now)
	deploy "$1"
	echo $(($(now) - began)) >>"$work/ours"
}

# The same with logged calls of docker, which costs some ms a call.
noted() { # TAG
	local began
	: >"$calls"
	began=$(now)
	PATH=$work/bin:$PATH deploy "$1"
	awk -v b="$began" '$3 == "pull" { print $1 - b; exit }' "$calls" >>"$work/preflight"
	wc -l <"$calls" >>"$work/processes"
}

alone() { # TAG
	local began
	began=$(now)
	(cd "$work/home/source/deploy" && TWILIGHT_VERSION=$1 docker compose pull data &&
		TWILIGHT_VERSION=$1 docker compose up -d data) >/dev/null 2>&1
	echo $(($(now) - began)) >>"$work/alone"
}

echo TWILIGHT_VERSION=v1.0.0 >"$work/home/.env"
alone v1.0.0
ours v1.0.0
rm "$work"/{ours,alone}
for _ in $(seq "$rounds"); do
	ours v1.0.1
	alone v1.0.0
	echo TWILIGHT_VERSION=v1.0.0 >"$work/home/.env"
	noted v1.0.1
	alone v1.0.0
	echo TWILIGHT_VERSION=v1.0.0 >"$work/home/.env"
done

a=$(median <"$work/ours") b=$(median <"$work/alone") p=$(median <"$work/preflight")
row() { printf '%-44s %10s %10s %8s   %s\n' "$@"; }
row '' ours 'compose' ratio aim
row 'deploy on a real engine, nothing to settle' "$a ms" "$b ms" \
	"$(awk -v a="$a" -v b="$b" 'BEGIN { printf "%.2f", a / b }')" '<= 1.25'
row 'of it before the pull begins' "$p ms" '' '' '<= 350 ms'
row 'docker processes in it (most)' "$(sort -n "$work/processes" | tail -n 1)" 2 '' '<= 6'
