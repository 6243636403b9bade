#!/bin/bash
# A usual deploy script: flock, sed, docker compose, curl, sleeps of two seconds.  The bench
# measures against it; its faults are left in.
set -euo pipefail

HOME_DIR="${TWILIGHT_HOME:-/home/deploy/twilight}"
ENV_FILE="$HOME_DIR/.env"
LOCK="${TWILIGHT_LOCK:-/tmp/twilight-deploy.lock}"
URL="${TWILIGHT_HEALTH_URL:-http://localhost:8081/healthz}"
TRIES="${TWILIGHT_HEALTH_TRIES:-30}"
SLEEP="${TWILIGHT_HEALTH_SLEEP:-2}"

request="${SSH_ORIGINAL_COMMAND:-}"
tag="${request#deploy }"
if [[ "$request" != deploy\ * || ! "$tag" =~ ^(sha-[0-9a-f]{7}|latest|main|v[0-9]+\.[0-9]+\.[0-9]+)$ ]]; then
	echo "invalid tag: $tag" >&2
	exit 2
fi

exec 9>"$LOCK"
flock -n 9 || {
	echo "deploy already running" >&2
	exit 3
}
[[ -f "$ENV_FILE" ]] || {
	echo "missing env file: $ENV_FILE" >&2
	exit 4
}
old="$(sed -n 's/^TWILIGHT_VERSION=//p' "$ENV_FILE")"
[[ -n "$old" ]] || {
	echo "missing TWILIGHT_VERSION in $ENV_FILE" >&2
	exit 4
}
echo "rollback target: $old"
echo "deploying:       $tag"

set_version() {
	sed -i "s|^TWILIGHT_VERSION=.*|TWILIGHT_VERSION=$1|" "$ENV_FILE"
}

set_version "$tag"
cd "$HOME_DIR/source/deploy"
docker compose pull data
docker compose up -d data

for ((i = 1; i <= TRIES; i++)); do
	if curl -fsS --max-time 2 "$URL" >/dev/null 2>&1; then
		echo "healthy after $i tries"
		docker image prune -f --filter until=168h >/dev/null 2>&1 || true
		exit 0
	fi
	sleep "$SLEEP"
done
echo "HEALTH FAILED -- rolling back to $old" >&2
set_version "$old"
docker compose up -d data
exit 1
