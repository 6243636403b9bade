#!/bin/sh
# mocks.sh: tests the faults of mocks/engine.c.  tests/e2e/conversation.sh shows that its
# other answers are those of a real engine.  Needs build/engine, curl, jq.
set -u
cd "$(dirname "$0")/.." || exit 1
B=$PWD/build
D=$(mktemp -d "${TMPDIR:-/tmp}/mocks.XXXXXX") || exit 1
trap 'kill $server 2>/dev/null; rm -rf "$D"' EXIT
image=sha256:$(printf %064d 1)
export PATH="$B/mocks:$PATH" DOCKER_HOST="unix://$D/docker.sock" TWILIGHT_VERSION=v1
unset COMPOSE_PROJECT_NAME COMPOSE_ENV_FILES COMPOSE_FILE DOCKER_CONFIG
passed=0 failed=0

await() {
	n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -lt 500 ] || return 1
		sleep 0.02
	done
}

# is WHAT GOT WANT: WANT is a shell pattern
is() {
	# shellcheck disable=SC2254 # a pattern
	case $2 in
	$3) passed=$((passed + 1)) ;;
	*)
		printf 'FAIL %s\n  want: %s\n  got:  %s\n' "$1" "$3" "$2"
		failed=$((failed + 1))
		;;
	esac
}

get() { # PATH [CURL'S OPTIONS]: prints the body and the status
	path=$1
	shift
	curl -s -g --max-time 10 --unix-socket "$D/docker.sock" -w ' %{http_code}' "$@" \
		"http://docker$path" 2>&1 | tr -d '\n\0'
}

run() { # ARGS OF DOCKER…: prints the output and the exit code
	docker "$@" 2>&1
	echo "=$?"
}

# faults RULES: replaces the rules; counting starts again
faults() {
	printf '%s\n' "$1" >"$D/faults"
	: >"$D/calls.log"
}

mkdir "$D/behaviour"
echo "ghcr.io/twilight/demo:v1 $image" >"$D/registry"
"$B/engine" serve --die-with-parent "$D" &
server=$!
await test -S "$D/docker.sock" || exit 1
ID=twilight-data-1
"$B/engine" docker "$D" compose pull data 2>/dev/null
"$B/engine" docker "$D" compose up -d data 2>/dev/null
is "no log of it" "$(cat "$D/calls.log" 2>/dev/null)" ""
is "control" "$(cat "$D/control")" "healthy v1"

faults '2 500 GET :: out of order
3+ 404 GET /containers/json'
is "the first is whole" "$(get /info)" '{*"DockerRootDir":*} 200'
is "the second of all" "$(get /_ping)" '{"message":"out of order"} 500'
is "the first of its kind" "$(get /containers/json)" '\[{*}\] 200'
get /containers/json >/dev/null
is "the third of its kind" "$(get /containers/json)" '{"message":"scripted failure"} 404'
is "and the fourth" "$(get '/v1.41/containers/json?all=1')" '{*} 404'
is "the log" "$(tail -n 1 "$D/calls.log")" 'GET /containers/json?all=1'

faults '1 close GET
2 truncate GET
3 garbage GET
4 body=events GET
* slow=1 GET
5 empty GET
6 empty GET'
is "close" "$(get /info)" ' 000'
is "truncate" "$(get /info -o "$D/half"; wc -c <"$D/half")" ' 200[1-9]*'
is "garbage" "$(get /info)" '* 000'
is "body" "$(get "/containers/$ID/json")" '{"status":"create"*"start"*} 200'
is "empty list" "$(get /containers/json)" '\[\] 200'
is "empty object" "$(get /info)" '{} 200'

faults '* lie=restarting GET /containers
* lie=image GET /containers
* set=Config.Image="other" GET /containers/*/json'
is "lies of one" "$(get "/containers/$ID/json" | sed 's/ 200//' |
	jq -c '[.State.Status,.State.Restarting,.RestartCount,.Image[0:10],.Config.Image]')" \
	'\["restarting",true,1,"sha256:bad","other"\]'
is "lies of a list" "$(get "/containers/json" | sed 's/ 200//' |
	jq -c '.[0] | [.State,.ImageID[0:10]]')" '\["restarting","sha256:bad"\]'

faults '1 hang GET /info
1 hang GET /events'
get /info --max-time 60 >"$D/answer" &
hung=$!
await grep -q 'GET /info' "$D/calls.log"
is "another is answered while one hangs" "$(get /_ping)" 'OK 200'
kill $hung

faults '1 fail=18 docker compose pull :: manifest unknown
2 +fail docker compose pull
3 empty docker compose pull :: not found
1 kill docker image rm
* flood docker compose version
* hang docker image tag
1 half docker compose up'
is "fail" "$(run compose pull data)" '*manifest unknown
=18'
: >"$D/images"
is "done, and then failed" "$(run compose pull data)" '*scripted failure
=1'
is "it was done" "$(cat "$D/images")" "ghcr.io/twilight/demo:v1 $image"
is "stale" "$(docker compose pull data 2>/dev/null)" '\[\]'
is "flood" "$(docker compose version 2>/dev/null | wc -c)" '10*[0-9][0-9][0-9]'
is "kill" "$(sh -c 'docker image rm x; echo $?' 2>/dev/null)" 137
docker image tag a b &
await test -s "$D/hanging"
is "hang" "$(tr '\0' ' ' <"/proc/$(cat "$D/hanging")/cmdline")" 'sleep 600*'
kill "$(cat "$D/hanging")"
is "half" "$(run compose up -d data --force-recreate)" '*half way
=1'
is "what half leaves" "$(cut -d' ' -f2,5 "$D/containers")" '[0-9a-f]*_twilight-data-1 created'
is "the next trips" "$(run compose up -d data)" '*Conflict*
=1'
is "the one after works" "$(run compose up -d data)" '*Started
=0'
is "a call that it does not know" "$(run frob)" '*=125'
is "and the log of it" "$(tail -n 1 "$D/calls.log")" 'unknown*'

# a crash has events, both in an open stream and for a later request
echo crash=20 >"$D/behaviour/v1"
began=$(date +%s.%N)
curl -sN -g --unix-socket "$D/docker.sock" 'http://docker/events?filters={"event":["die"]}' \
	>"$D/stream" &
stream=$!
docker compose up -d data --force-recreate 2>/dev/null
await grep -q '"exitCode":"1"' "$D/stream"
is "a crash, live" "$(cat "$D/stream")" '*"die"*"exitCode":"1"*'
docker rm -f $ID >/dev/null
is "a crash, later" "$(get "/events?since=$began&until=$(date +%s.%N)")" '*"die"*"exitCode":"1"*"destroy"* 200'
kill $stream

kill $server
wait $server 2>/dev/null
is "no engine" "$(run rm -f x)" 'Cannot connect to the Docker daemon*=1'
echo "$passed passed, $failed failed"
[ $failed = 0 ]
