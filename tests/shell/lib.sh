# lib.sh: functions for the cases.  Sourced by run.sh in a subshell for each case.
#
# A case is a function test_…; it starts in a fresh tree:
#
#   $T                  the tree, removed when the case ends
#   $home               TWILIGHT_HOME, with .env and source/deploy/compose.yml
#   $env                $home/.env, at version $old (sha-0000000), with a secret in it
#   $engine             the folder of the fake engine (mocks/engine.c)
#   $log                $engine/calls.log: a line for each call of docker, or of the API
#
# At first the engine is blind and docker is the silent stub; after `memory` it is the fake
# engine, which `fault` makes fail.
#
# A case checks with is, has, lacks, matches; `needs` skips it.
# shellcheck shell=sh disable=SC2034,SC2119,SC2120

old=sha-0000000
new=sha-abc1234
secret=hunter2

# --- verdicts -----------------------------------------------------------------

show() {
	printf '%s' "$1" | head -c 1500 | LC_ALL=C cat -v | sed '2,$s/^/          /'
	echo
}

wrong() { # WHAT WANT GOT
	wrongs=$((wrongs + 1))
	printf '  %s\n    want: %s\n    got:  %s\n' "$1" "$(show "$2")" "$(show "$3")"
}

is() { # WHAT GOT WANT
	[ "$2" = "$3" ] || wrong "$1" "$3" "$2"
}

has() { # WHAT TEXT PART
	case $2 in
	*"$3"*) ;;
	*) wrong "$1" "…$3…" "$2" ;;
	esac
}

lacks() { # WHAT TEXT PART
	case $2 in
	*"$3"*) wrong "$1" "nothing with: $3" "$2" ;;
	esac
}

matches() { # WHAT TEXT ERE
	printf '%s\n' "$2" | grep -Eq -- "$3" || wrong "$1" "/$3/" "$2"
}

below() { # WHAT NUMBER LIMIT
	[ "$2" -lt "$3" ] || wrong "$1" "less than $3" "$2"
}

skip() {
	echo "$1" >"$T/skipped"
	exit 0
}

needs() { # root | flock | setpriv | python3 | jq | openssl
	case $1 in
	root) [ "$(id -u)" = 0 ] || skip "not run as root" ;;
	*) command -v "$1" >/dev/null || skip "no $1 here" ;;
	esac
}

# --- the tree -----------------------------------------------------------------

setup() {
	wrongs=0
	home=$T/home
	env=$home/.env
	engine=$T/engine
	log=$engine/calls.log
	state=$home/.twilight-deploy
	mkdir -p "$home/source/deploy" "$engine/behaviour"
	cp "$REPO/deploy/compose.yml" "$home/source/deploy/compose.yml"
	printf 'TWILIGHT_VERSION=%s\nSECRET=%s\n' "$old" "$secret" >"$env"
	chmod 600 "$env"
	: >"$log"
	for v in $(env | sed -n 's/^\(\(TWILIGHT\|MOCK\|DOCKER\|COMPOSE\)_[A-Z_]*\)=.*/\1/p'); do
		unset "$v"
	done
	unset SSH_ORIGINAL_COMMAND SSH_CONNECTION SSH_CLIENT
	real_path=$PATH
	export PATH="$MOCKS/silent:$real_path"
	export TWILIGHT_ENGINE=blind MOCK_DOCKER_LOG="$log"
	export TWILIGHT_HOME="$home"
	export TWILIGHT_HEALTH_TRIES=3 TWILIGHT_HEALTH_SLEEP=0 TWILIGHT_HEALTH_SETTLE=0
	export TWILIGHT_DISK_MIN=1M
	export TWILIGHT_KEEP_ENV="MOCK_DOCKER_LOG MOCK_DOCKER_PULL_FAIL MOCK_DOCKER_UP_FAIL"
	behave healthy
	serve
}

# serve: starts the service on a free port; it follows $engine/control.
serve() {
	"$SERVICE" --address 127.0.0.1 --port 0 --port-file "$T/port" \
		--control "$engine/control" >"$T/service.log" 2>&1 &
	service_pid=$!
	await test -s "$T/port" || wrong "the mock service" "a port" "$(cat "$T/service.log")"
	read -r port <"$T/port"
	export TWILIGHT_HEALTH_URL="http://127.0.0.1:$port/healthz"
}

# await COMMAND…: waits until it succeeds, at most ten seconds.
await() {
	n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -lt 500 ] || return 1
		sleep 0.02
	done
}

teardown() {
	kill "$service_pid" ${engine_pid:+"$engine_pid"} ${receiver_pid:+"$receiver_pid"} 2>/dev/null
	# end calls that hang; skip a pid that was reused
	if [ -f "$engine/hanging" ]; then
		while read -r pid; do
			! still_hangs "$pid" || kill -KILL "$pid"
		done <"$engine/hanging"
	fi
	wait 2>/dev/null
}

still_hangs() {
	grep -aq '^sleep.600' "/proc/$1/cmdline" 2>/dev/null
}

# nothing_hangs WHAT: checks that a call of docker hung and was ended.
nothing_hangs() {
	[ -s "$engine/hanging" ] || wrong "$1" "a call that hung" "none"
	while read -r pid; do
		! still_hangs "$pid" || wrong "$1" "ended" "still there"
	done <"$engine/hanging"
}

# Checks after every case.
finale() {
	leaks=$(cd "$T" && grep -rl "$secret" . 2>/dev/null |
		grep -v -e '^\./home/\.env$' -e '^\./secret/' | tr '\n' ' ')
	is "nothing but .env holds the secret" "$leaks" ""
	is "no temporary file is left in the home" \
		"$(cd "$home" && find . -name '.env?*' ! -name '.env.kept' | tr '\n' ' ')" ""
	is "docker is called as the mock knows it" "$(grep '^unknown' "$log")" ""
	is "no warning is without words" "$(grep -x '  ! *' "$T/talk" 2>/dev/null)" ""
	is "no call ended by a signal or as our own bug" "$(sort -u "$T/codes" 2>/dev/null |
		grep -vx '[0-6]' | tr '\n' ' ')" ""
}

# --- requests -----------------------------------------------------------------

# net REQUEST [ARGS…]: a request through sshd; ARGS are those of the forced command.
# op ARGS…: a request at a prompt.  Both set $rc, $out, $err and $all.
net() {
	SSH_ORIGINAL_COMMAND=$1
	export SSH_ORIGINAL_COMMAND
	shift
	op "$@"
	unset SSH_ORIGINAL_COMMAND
}

op() {
	timeout -k 5 "${LIMIT:-60}" ${AS:+$AS} "$PROGRAM" "$@" >"$T/out" 2>"$T/err" </dev/null
	rc=$?
	settle
}

settle() {
	echo "$rc" >>"$T/codes"
	out=$(cat "$T/out")
	err=$(cat "$T/err")
	all="$out
$err"
	cat "$T/out" "$T/err" >>"$T/talk"
}

deploy() { # TAG [ARGS…]
	tag=$1
	shift
	net "deploy $tag" "$@"
}

# begin REQUEST: the same in the background; $asked is the program's pid.  `finish` waits for it.
begin() {
	SSH_ORIGINAL_COMMAND=$1 "$PROGRAM" >"$T/out" 2>"$T/err" </dev/null &
	asked=$!
}

finish() {
	(timeout "${LIMIT:-60}" tail -s 0.1 -f /dev/null --pid="$asked" ||
		kill -KILL "$asked") 2>/dev/null &
	wait "$asked" 2>/dev/null
	rc=$?
	settle
}

# --- observation --------------------------------------------------------------

# version: the version in .env.
version() {
	sed -n 's/^TWILIGHT_VERSION=//p' "$env"
}

calls() { # PATTERN: how many calls of docker begin so
	grep -c -- "^docker $1" "$log"
}

# was_called WORDS: was docker called with these words?
was_called() {
	grep -q -- "^docker $1" "$log"
}

no_change() { # with $before from `remember`
	is "nothing is changed in the home" "$(picture)" "$before"
	is "no image is pulled" "$(calls 'compose pull')" 0
	is "nothing is started" "$(calls 'compose up')" 0
}

remember() {
	before=$(picture)
}

# Everything except the state folder, which the first request may make.
picture() {
	(cd "$home" && find . -path ./.twilight-deploy -prune -o \
		-printf '%p %m %U %G %i %l\n' | sort && cksum <"$env") 2>/dev/null
}

# behave WORD: how the service behaves from now on (without `memory`).
behave() {
	printf '%s %s\n' "$1" "${2:-any}" >"$engine/control.new"
	mv "$engine/control.new" "$engine/control"
}

# --- the fake engine --------------------------------------------------------------

repository=ghcr.io/twilight/demo

# memory [TAG]: docker is the fake engine; TAG (default $old) runs and is in .env.
memory() {
	unset TWILIGHT_ENGINE MOCK_DOCKER_LOG
	TWILIGHT_KEEP_ENV=
	export PATH="$FAKE/mocks:$real_path" DOCKER_HOST="unix://$engine/docker.sock"
	: >"$engine/registry"
	: >"$engine/images"
	: >"$engine/containers"
	[ -n "${engine_pid-}" ] || start_engine
	publish "${1:-$old}"
	silently pull "${1:-$old}"
	silently up "${1:-$old}"
	edit_env "${1:-$old}"
}

start_engine() {
	"$FAKE/engine" serve --die-with-parent "$engine" &
	engine_pid=$!
	await test -S "$engine/docker.sock" || wrong "the fake engine" "a socket" "none"
}

stop_engine() {
	kill "$engine_pid"
	wait "$engine_pid" 2>/dev/null
	engine_pid=
}

# edit_env TAG: edits .env as a person does.
edit_env() {
	sed "s/^TWILIGHT_VERSION=.*/TWILIGHT_VERSION=$1/" "$env" >"$T/env"
	cat "$T/env" >"$env"
	rm "$T/env"
}

# silently pull|up TAG, silently ARGS…: runs docker without log and faults.
silently() {
	v=${2-}
	case $1 in
	pull) set -- compose pull data ;;
	up) set -- compose up -d data ;;
	esac
	TWILIGHT_VERSION=$v COMPOSE_FILE=$home/source/deploy/compose.yml COMPOSE_ENV_FILES=$env \
		"$FAKE/engine" docker "$engine" "$@" >/dev/null 2>&1
}

# fault RULE…: replaces the faults; counting starts again.  Without RULE: no faults.
fault() {
	: >"$log"
	if [ $# = 0 ]; then rm -f "$engine/faults"; else printf '%s\n' "$@" >"$engine/faults"; fi
}

# publish TAG [WORD [BUILD]]: pushes an image whose containers behave as WORD says.  Another
# BUILD is another image with the same tag.
publish() {
	sed "\\,$repository:$1 ,d" "$engine/registry" >"$engine/registry.new"
	printf '%s %s\n' "$repository:$1" "$(image_of "$1" "${3-}")" >>"$engine/registry.new"
	mv "$engine/registry.new" "$engine/registry"
	becomes "$1" "${2:-healthy}" "${3-}"
}

# becomes TAG WORD [BUILD]: how containers of that image behave when they start next.
becomes() {
	printf '%s\n' "$2" >"$engine/behaviour/$(image_of "$1" "${3-}")"
}

image_of() { # TAG [BUILD]
	printf 'sha256:%s' "$(printf '%s' "$1${2-}" | sha256sum | cut -d' ' -f1)"
}

# serving: prints "REF IMAGE STATE" of each container.
serving() {
	cut -d' ' -f3,4,5 "$engine/containers" |
		while read -r i r s; do printf '%s %s %s\n' "$r" "$i" "$s"; done
}

runs() { # TAG [BUILD]
	is "$1 runs" "$(serving)" "$repository:$1 $(image_of "$1" "${2-}") running"
	is ".env says $1" "$(version)" "$1"
}
