#!/bin/bash
# run.sh PROGRAM STATIC-PROGRAM SERVICE: speed and memory compared with the plain script, with
# the same stubs, in one run.  The ratios count: the times depend on the machine.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "$1")
static=$(realpath "$2")
service=$(realpath "$3")
script=$root/tests/bench/plain-deploy.sh
runs=${BENCH_RUNS:-200}
work=$(mktemp -d /tmp/bench.XXXXXX)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

cc -O2 -o "$work/stopwatch" "$root/tests/bench/stopwatch.c"
echo 'int main(void) { return 0; }' | cc -O2 -x c -o "$work/nothing" -
mkdir -p "$work/bin" "$work/home/source/deploy"
cp "$root/mocks/silent/docker" "$work/bin/docker"
cp "$root/deploy/compose.yml" "$work/home/source/deploy/"
echo 'TWILIGHT_VERSION=sha-0000000' >"$work/home/.env"
export PATH="$work/bin:$PATH" TWILIGHT_HOME="$work/home" TWILIGHT_LOCK="$work/lock"
export TWILIGHT_DISK_MIN=1M TWILIGHT_ENGINE=blind

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
ms() { awk -v a="$1" 'BEGIN { printf "%.2f", a / 1000 }'; }
row() { printf '%-44s %10s %10s %8s   %s\n' "$@"; }

# compare LABEL RUNS AIM PROGRAM: our wall time as a share of the script's
compare() {
	read -r a b _ < <("$work/stopwatch" "$2" "$4" -- bash "$script")
	row "$1" "$(ms "$a") ms" "$(ms "$b") ms" "$(ratio "$a" "$b")" "$3"
}

wait_for_service() {
	until curl -fs -o /dev/null "$TWILIGHT_HEALTH_URL"; do sleep 0.02; done
}

# as under sshd
export LOGNAME=deploy
row '' ours script ratio aim
SSH_ORIGINAL_COMMAND='deploy nonsense' compare refusal "$runs" '<= 0.70' "$program"
SSH_ORIGINAL_COMMAND='deploy nonsense' compare 'refusal, static' "$runs" '<= 0.40' "$static"

"$service" --port 0 --port-file "$work/port" >/dev/null 2>&1 &
until [ -s "$work/port" ]; do sleep 0.02; done
port=$(cat "$work/port")
export TWILIGHT_HEALTH_URL="http://127.0.0.1:$port/healthz"
wait_for_service
SSH_ORIGINAL_COMMAND='deploy sha-abc1234' compare 'deploy, silent stub, healthy at once' \
	$((runs / 4)) '<= 0.80' "$program"
kill %1
wait %1 2>/dev/null || true

# The time from when the service starts to listen until our exit.
after() {
	local delay=$1 began
	shift
	"$service" --port "$port" --behaviour "delay=$delay" >/dev/null 2>&1 &
	began=$(date +%s%N)
	"$@" >/dev/null 2>&1 || true
	echo $((($(date +%s%N) - began) / 1000 - delay * 1000))
	kill $! 2>/dev/null
	wait $! 2>/dev/null || true
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
export SSH_ORIGINAL_COMMAND='deploy sha-abc1234'
for delay in 700 1000 1300 1600 1900 2200 2500 2800; do
	after $delay "$program" >>"$work/ours"
	after $delay bash "$script" >>"$work/script"
done
a=$(median <"$work/ours")
b=$(median <"$work/script")
row 'from able to answer to exit (median)' "$(ms "$a") ms" "$(ms "$b") ms" "$(ratio "$a" "$b")" '<= 60 ms'

"$service" --port "$port" >/dev/null 2>&1 &
wait_for_service
read -r _ _ kib base < <("$work/stopwatch" 5 "$program" -- "$work/nothing")
row 'peak memory over that of an empty program' "$((kib - base)) KiB" '' '' '<= 4096 KiB'
strip -o "$work/stripped" "$program"
row 'binary, stripped' "$(($(stat -c %s "$work/stripped") / 1024)) KiB" '' '' '< 150 KiB'
