# shellcheck shell=sh
# conversation.sh: the real engine and mocks/engine.c get the same requests and must give the
# same answers, so that the fake stays true.  Sourced by run.sh.
#
# A transcript has the parts of every answer that twilight-deploy or a test uses: statuses,
# exit codes, the last line of an error, members and their types, and values that must agree.
#
# Variables come from world.sh, and are read in run.sh:
# shellcheck disable=SC2034,SC2153,SC2154

SCENARIOS_CONVERSATION="
fake_engine_says_the_same
"

# jq programs that reduce the answers.
J_ID='def id: test("^[0-9a-f]{64}$"); def time: test("^[0-9]{4}-[0-9-]+T[0-9:.]+Z$");
	def ours: with_entries(select(.key | test("compose.(project|service|oneoff|container-number|image)$")))
		+ {hash: .["com.docker.compose.config-hash"] | id,
		   files: .["com.docker.compose.project.config_files"],
		   folder: .["com.docker.compose.project.working_dir"]};'
J_VERSION='{ApiVersion, MinAPIVersion, Version: .Version | type}'
J_INFO='{root: .DockerRootDir | type, driver: .Driver | type, version: .ServerVersion | type,
	store: [.DriverStatus[] | map(type)] | unique}'
J_LIST=$J_ID'map({id: .Id | id, Names, Image, ImageID, State, created: .Created | type,
	status: .Status | type, labels: .Labels | ours, networks: .NetworkSettings.Networks | keys})'
J_CONTAINER=$J_ID'{id: .Id | id, created: .Created | time, Name, Image, RestartCount,
	state: .State | {Status, Running, Paused, Restarting, OOMKilled, Dead, ExitCode, Error,
		started: .StartedAt | time, finished: .FinishedAt | time},
	ref: .Config.Image, env: .Config.Env | type, labels: .Config.Labels | ours,
	networks: .NetworkSettings.Networks | map_values(.IPAddress | type),
	ports: .NetworkSettings.Ports | map_values(map({HostIp, HostPort}))}'
J_IMAGE='{Id, RepoTags, digests: [.RepoDigests[] | sub("@sha256:[0-9a-f]{64}$"; "@")],
	labels: .Config.Labels | type, created: .Created | type, size: .Size | type}'
J_IMAGES='map({Id, RepoTags: .RepoTags | sort,
	digests: (.RepoDigests | if . then map(sub("@sha256:[0-9a-f]{64}$"; "@")) else . end),
	labels: .Labels | type, created: .Created | type, size: .Size | type}) | sort_by(.Id)'
J_EVENTS='[.Type, .Action, .status == .Action, .id == .Actor.ID, .from,
	(.time | type), (.timeNano | type), (.Actor.Attributes | .image, .exitCode, .signal,
	(.name, .oldName | if . then sub("[0-9a-f]{12}_"; "X_") else . end),
	.["com.docker.compose.service"])]'
J_CONFIG='{name, services: .services | map_values({image, ports, depends_on, pull_policy, profiles,
	environment: .environment | type})}'

# get PATH [JQ]: a request, its status, and the body as JQ has it; . for all of it.
get() {
	printf 'GET %s\n' "$1" | sed "s/$ID/ID/; s/since=.*until=[0-9.]*/since=/"
	curl -s -g --max-time 20 --unix-socket "$SOCKET" -o "$SPARE/body" \
		-w '%{http_code} %{content_type}\n' "http://docker$1"
	jq -ScR 'fromjson? // .' "$SPARE/body" | jq -Sc "${2:-.}"
}

# run [NAME=VALUE…] COMMAND…: its exit code; of a failure the last line, of a success
# what is on stdout where SHOW is set.
run() {
	printf '$ %s\n' "$*" | sed "s/$ID/ID/"
	env "$@" >"$SPARE/stdout" 2>"$SPARE/stderr"
	run_code=$?
	if [ $run_code -ne 0 ]; then
		grep -v '^$' "$SPARE/stderr" | tail -n 1
	elif [ -n "${SHOW:-}" ]; then
		cat "$SPARE/stdout"
	fi | sed -E 's/[0-9a-f]{64}/ID/g; s/container [0-9a-f]{12}/container ID/;
		s/(missing a value).*/\1/; s/ (not found|unknown): .*/ \1/; s|unix://[^ ]*sock|SOCKET|'
	echo "[$run_code]"
}

container_id() {
	curl -s -g --unix-socket "$SOCKET" \
		"http://docker/containers/json?all=1&filters={\"label\":[\"com.docker.compose.project=$PROJECT\"]}" |
		jq -r '.[0].Id // "none"'
}

# looks JQ: does our container look so?  What was seen stays in $SPARE/body.
looks() {
	curl -s --unix-socket "$SOCKET" -o "$SPARE/body" "http://docker/containers/$ID/json" &&
		jq -e "$1" "$SPARE/body" >/dev/null
}

up() { # VERSION FLAGS…
	up_version=$1
	shift
	run TWILIGHT_VERSION="$up_version" docker compose up -d data --no-build --pull never "$@"
	ID=$(container_id)
}

# The last container's events, as far as they are told: begun with and written out later.
happened() { # COUNT
	curl -s -g --max-time 20 --unix-socket "$SOCKET" \
		"http://docker/events?since=$began&until=$(date +%s.%N)&filters={\"type\":[\"container\"],\"label\":[\"com.docker.compose.project=$PROJECT\"]}" |
		jq -Sc "$J_EVENTS" | tail -n "+$1" | head -n "${2:-1000}"
	echo
}

converse() {
	began=$(date +%s.%N)
	ID=none
	label=com.docker.compose
	ours="{\"label\":[\"$label.project=$PROJECT\",\"$label.service=data\",\"$label.oneoff=False\"]}"
	as_map="{\"label\":{\"$label.project=$PROJECT\":true}}"
	cd "$COMPOSE_DIR" || exit 1
	export COMPOSE_ENV_FILES="$ENV_FILE"
	converse_reads
	converse_writes
	converse_crashes
}

converse_reads() {
	get /version "$J_VERSION"
	get /_ping
	get /info "$J_INFO"
	get "/v$(jq -r .ApiVersion "$SPARE/version")/info" "$J_INFO"
	get /v1.99/info
	get /v1.10/info
	get /nosuch
	get /containers/nosuch/json
	get "/containers/nosuch/logs?stdout=1"
	get /images/nosuch/json
	get "/images/$REPO/json"
	get "/containers/json?all=1&filters=$ours" "$J_LIST"
	get '/containers/json?filters={"frob":["x"]}'
	get '/containers/json?filters=xx'
	get '/containers/json?filters={"label":["x"],"name":{"y":true}}'
	get "/images/json?filters={\"reference\":[\"$REPO\"]}" "$J_IMAGES"
	run docker compose version --frob
	run COMPOSE_ENV_FILES="$SPARE/unset.env" docker compose config --format json
	for words in "--format json" "--format json data" "data --format json"; do
		# shellcheck disable=SC2086 # words
		TWILIGHT_VERSION=v1 docker compose config $words | jq -Sc "$J_CONFIG"
	done
	run TWILIGHT_VERSION=v1 docker compose config --format json nosuch
	SHOW=1 run docker context inspect --format '{{.Endpoints.docker.Host}}'
	run docker context inspect nosuch
}

converse_writes() {
	run TWILIGHT_VERSION=v9 docker compose pull data
	run TWILIGHT_VERSION=v1 docker compose pull nosuch
	up v1
	run TWILIGHT_VERSION=v1 docker compose pull data --policy always
	get "/images/$REPO:v1/json" "$J_IMAGE"
	get "/images/$(printf '%s' "$REPO:v1" | sed 's/:/%3A/g')/json" "$J_IMAGE"
	get "/images/${v1_image#sha256:}/json" "$J_IMAGE"
	up v1 --no-deps
	up v1
	get "/containers/json?filters=$ours" "$J_LIST"
	get "/containers/json?filters=$as_map" "$J_LIST"
	get "/containers/$ID/json" "$J_CONTAINER"
	get "/containers/$PROJECT-data-1/json" "$J_CONTAINER"
	get "/containers/$ID/logs"
	curl -s --unix-socket "$SOCKET" \
		"http://docker/containers/$ID/logs?stdout=1&stderr=1&tail=1" | od -An -tu1 -N4 | tr 12 S
	run TWILIGHT_VERSION=v2 docker compose pull data
	up v2 --no-deps
	up v2 --no-deps --force-recreate
	happened 1
	SHOW=1
	run docker image tag "$REPO:v1" twilight-deploy/test:keep
	run docker image tag nosuch twilight-deploy/test:keep
	run docker image rm "$REPO:v1" "$REPO:nosuch"
	get "/images/$v1_image/json" "$J_IMAGE"
	get "/images/json?filters={\"reference\":{\"$REPO\":true}}" "$J_IMAGES"
	run docker image rm "$REPO:v2"
	run docker image tag "$v2_image" "$REPO:other"
	get "/images/json?filters={\"reference\":[\"$REPO:oth*\"]}" "$J_IMAGES"
	run docker image rm "$REPO:v2"
	get "/containers/json?filters=$ours" "$J_LIST"
	run docker image tag "$v2_image" "$REPO:v2"
	run docker image rm "$REPO:other" twilight-deploy/test:keep | grep -v -e '^Deleted' -e '@'
	SHOW=''
	run docker image prune -f --filter until=168h
	run docker rm -f nosuch "$ID"
	run docker rm -f nosuch
	get "/containers/$ID/json" | sed "s/$ID/ID/"
	happened 14
}

# Restarts are events in an open stream, too.
converse_crashes() {
	began=$(date +%s.%N)
	for version in loop crash; do
		run TWILIGHT_VERSION=$version docker compose pull data
	done
	curl -sN -g --max-time 60 --unix-socket "$SOCKET" -o "$SPARE/stream" \
		"http://docker/events?filters={\"type\":[\"container\"],\"event\":[\"die\"],\"label\":[\"com.docker.compose.project=$PROJECT\"]}" &
	stream=$!
	up crash
	wait_for 30 looks '.State.Status == "running" and .RestartCount == 1' ||
		fail "a container that was restarted"
	jq -Sc "$J_CONTAINER" "$SPARE/body"
	happened 1 4
	wait_for 30 grep -q '"die"' "$SPARE/stream" || fail "a stream that tells of it"
	head -n 1 "$SPARE/stream" | jq -Sc "$J_EVENTS"
	kill $stream
	run docker rm -f "$ID"
	up loop
	wait_for 30 looks .State.Restarting || fail "a container that is restarting"
	jq -Sc "$J_CONTAINER | .RestartCount |= type" "$SPARE/body"
	run docker rm -f "$ID"
}

# fake_begin: starts the fake with the images of the real registry and the engine's version.
fake_begin() {
	FAKE=$SPARE/fake
	mkdir -p "$FAKE/behaviour"
	echo "$PROJECT" >"$FAKE/project"
	for version in v1 v2 loop crash; do
		eval "image=\$${version}_image"
		echo "$REPO:$version $image"
	done >"$FAKE/registry"
	echo crashloop >"$FAKE/behaviour/loop"
	echo crash=2000 >"$FAKE/behaviour/crash"
	jq '{ApiVersion, MinAPIVersion}' "$SPARE/version" >"$FAKE/version"
	(cd "$COMPOSE_DIR" && COMPOSE_ENV_FILES=$ENV_FILE docker compose config --format json) |
		jq '.services | map_values(.image |= sub(":[^:]*$"; ":%t"))' >"$FAKE/services"
	"$ROOT/build/engine" serve --die-with-parent "$FAKE" &
	FAKE_PID=$!
	wait_for 10 [ -S "$FAKE/docker.sock" ] || fail "the fake's socket"
}

scenario_fake_engine_says_the_same() {
	need_package jq jq || exit 1
	publish v1 healthy
	v1_image=$IMAGE
	publish v2 healthy
	v2_image=$IMAGE
	publish loop exit
	loop_image=$IMAGE
	publish crash crash=2000
	crash_image=$IMAGE
	env_write v1
	printf 'DEMO_PORT=1\nGREETING=x\n' >"$SPARE/unset.env"
	SOCKET=${DOCKER_HOST:-unix:///var/run/docker.sock}
	SOCKET=${SOCKET#unix://}
	curl -s --unix-socket "$SOCKET" -o "$SPARE/version" http://docker/version
	(converse) >"$SPARE/real" 2>&1 || fail "a conversation, not:$NL$(cat "$SPARE/real")"
	fake_begin
	(SOCKET=$FAKE/docker.sock PATH=$ROOT/build/mocks:$PATH DOCKER_HOST=unix://$FAKE/docker.sock
	export PATH DOCKER_HOST
	converse) >"$SPARE/fake.said" 2>&1 || fail "a conversation, not:$NL$(cat "$SPARE/fake.said")"
	kill "$FAKE_PID"
	[ "$(wc -l <"$SPARE/real")" -gt 150 ] || fail "a whole conversation, not:$NL$(cat "$SPARE/real")"
	diff -U 2 "$SPARE/real" "$SPARE/fake.said" && return
	[ -z "$(reference)" ] || fail "the same from the real engine (-) and from the fake (+)"
	echo "hits: $(diff "$SPARE/real" "$SPARE/fake.said" | grep -c '^[<>]') lines differ on $(versions)"
}

versions() { echo "engine $(docker version -f '{{.Server.Version}}'), compose $(docker compose version --short)"; }

# On other versions differences are only shown: the fake models one engine.
reference() { versions | grep '^engine 20\.10\..*compose v\{0,1\}2\.26\.'; }
