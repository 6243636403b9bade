#!/bin/sh
# engine.sh PROGRAM [all|sample] [real|fake]: an engine that fails.  A proxy on the engine's
# socket (mocks/proxy.c) answers the n-th request of a run with 500, closes its connection,
# never answers it, or is away for some requests, as a dockerd that restarts.
#
# The runs are a deploy of a good and of a bad release, a rollback, and the recovery of a
# deploy of a good and of a bad release that was killed after its `up`.  `all` is every n
# with every act, `sample` some of them.
#
#   LANES=N      runs at a time (2 on a real engine, 8 on fakes)
#   ONLY=TEXT    only points whose printed name contains TEXT: "good 500 17"
#   LOUD=1       prints the output of each run, and its requests
#
# This must hold:
#
#   A read that fails changes no outcome: a request of the program itself, or a GET of
#   docker's command line, except compose's, which reads before it writes.  Any other may
#   make docker fail, and so the run; then the exit code is true:
#       0  the new version runs      4  nothing was changed: file, container, start time
#       1  the old version runs      5  none of these
#   After `recover`, if a journal is left or the code was 4 or 5, the version of .env runs,
#   it is not the bad release, and nothing is left over.  The history has the run at most once.
#
# The variables come from world.sh and killed.sh:
# shellcheck disable=SC2034,SC2153,SC2154
set -u

E2E_LIB=$(cd "$(dirname "$0")/../e2e" && pwd)
ROOT=$(cd "$E2E_LIB/../.." && pwd)
# shellcheck source=tests/e2e/engine.sh
. "$E2E_LIB/engine.sh"
# shellcheck source=tests/e2e/world.sh
. "$E2E_LIB/world.sh"
# shellcheck source=tests/e2e/killed.sh
. "$E2E_LIB/killed.sh"

PROGRAM=$(realpath "$1")
MODE=${2:-all}
RUNS='good bad rollback recover_good recover_bad'
# a short path, because it is part of the paths of the engine's sockets
WORK=$(mktemp -d /tmp/ce.XXXXXX) || exit 1
lane_pids=

cleanup() {
	trap '' INT TERM HUP
	for pid in $lane_pids; do
		kill "$pid" 2>/dev/null && wait "$pid"
	done
	engine_stop
	rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# -- observation -------------------------------------------------------------------

# api TARGET: a request to the engine, without the proxy.
api() {
	curl -sf --unix-socket "$engine_socket" "http://docker$1"
}

# A line for each container of the project: id, state, image, start, restarts.
look() {
	api "/containers/json?all=1&filters=%7B%22label%22:%5B%22com.docker.compose.project=$PROJECT%22%5D%7D" |
		jq -r '.[].Id' | while read -r lk_id; do
		api "/containers/$lk_id/json" |
			jq -r '"\(.Id) \(.State.Status) \(.Image) \(.State.StartedAt) \(.RestartCount)"'
	done
}

# serves VERSION: .env has it, its only container runs, and its port answers with it.
serves() {
	env_is "$1"
	sv_is=$(look | cut -d ' ' -f 2,3)
	[ "$sv_is" = "running $(image_of "$1")" ] ||
		fail "one container: running $(image_of "$1") ($1), not: $sv_is"
	[ "$(version_served)" = "$1" ] || fail "the service says version $1, not '$(version_served)'"
}

image_of() { cat "$SPARE/image.$1"; }

# -- the starting states -----------------------------------------------------------

OLDEST=sha-0000001 GOOD=sha-0000002 BAD=sha-0000003

# A home with three releases; saves the state folder after the first and the second deploy.
states_make() {
	for sm_tag in $OLDEST $GOOD $BAD; do
		sm_how=healthy
		[ "$sm_tag" != $BAD ] || sm_how=never
		"${engine}_publish" "$sm_tag" $sm_how
		echo "$IMAGE" >"$SPARE/image.$sm_tag"
	done
	env_write sha-0000000
	for sm_tag in $OLDEST $GOOD; do
		here deploy "$sm_tag"
		code 0
		cp -a "$STATE" "$SPARE/state.$sm_tag"
	done
}

# state VERSION: it runs and is known-good; later versions are not on the host.
state() {
	rm -rf "$STATE"
	cp -a "$SPARE/state.$1" "$STATE"
	env_write "$1"
	for st_tag in $GOOD $BAD; do
		[ "$st_tag" = "$1" ] || state_forget "$st_tag"
	done
	[ "$(look | cut -d ' ' -f 2,3)" = "running $(image_of "$1")" ] || state_up "$1"
	before=$(look)
	lines=$(records)
	old=$1
}

state_forget() {
	look | while read -r sf_id _ sf_image _; do
		[ "$sf_image" != "$(image_of "$1")" ] || docker rm -f "$sf_id"
	done >/dev/null
	api "/images/$(image_of "$1")/json" | jq -r '.RepoTags[]' | while read -r sf_name; do
		docker image rm "$sf_name"
	done >/dev/null
}

state_up() {
	look | while read -r su_id _; do docker rm -f "$su_id"; done >/dev/null
	(cd "$COMPOSE_DIR" && export COMPOSE_ENV_FILES="$ENV_FILE" TWILIGHT_VERSION="$1" &&
		docker compose pull && docker compose up -d) >"$SPARE/up" 2>&1 || fail "a container: $(cat "$SPARE/up")"
	wait_for 30 served "$1" || fail "$1 serves before the run"
}

served() { [ "$(version_served)" = "$1" ]; }

# -- the runs ----------------------------------------------------------------------

# prepare RUN: sets its state, words, new version, and exit code without faults.
prepare() {
	case $1 in
	good) state $OLDEST && words="deploy $GOOD" new=$GOOD expected=0 ;;
	bad) state $OLDEST && words="deploy $BAD" new=$BAD expected=1 ;;
	rollback) state $GOOD && words=rollback new=$OLDEST expected=0 ;;
	recover_good) state $OLDEST && killed $GOOD && words=recover new=$GOOD expected=0 ;;
	recover_bad) state $OLDEST && killed $BAD && words=recover new=$BAD expected=1 ;;
	esac
}

killed() {
	: >"$SPARE/armed"
	# nothing fails yet, but the machine may be busy
	setting TWILIGHT_CALL_LIMIT 30
	here_start deploy "$1"
	setting TWILIGHT_CALL_LIMIT 3
	echo "$HERE" >"$SPARE/pid"
	here_wait
	[ "$CODE" -eq 137 ] || fail "the program is killed after its up, not: exit code $CODE"
}

# run_behind PROXY-OPTION...: runs the words through the proxy.
run_behind() {
	rm -f "$SPARE/requests" "$SPARE/back" "$proxy_socket"
	"$WORK/proxy" "$proxy_socket" "$engine_socket" --log "$SPARE/requests" "$@" &
	proxy=$!
	wait_for 10 test -S "$proxy_socket" || fail "the proxy listens"
	rb_settings=$SETTINGS
	setting DOCKER_HOST "unix://$proxy_socket"
	# shellcheck disable=SC2086 # words
	here_start $words
	SETTINGS=$rb_settings
	case " $* " in *' --until '*) outage_end ;; esac
	wait_for 120 process_gone "$HERE" || {
		kill -KILL "$HERE"
		fail "it ends"
	}
	here_wait
	kill "$proxy"
	"${engine}_alone"
	[ -z "${LOUD-}" ] || cat "$SPARE/requests"
}

# The engine is back after three failed requests, or when the run has ended.
outage_end() {
	until [ "$(grep -c '^[0-9]* close ' "$SPARE/requests" 2>/dev/null)" -ge 3 ] ||
		process_gone "$HERE"; do sleep 0.05; done
	: >"$SPARE/back"
}

# point RUN ACT N
point() {
	prepare "$1"
	case $2 in
	away) run_behind --at "$3" --act close --until "$SPARE/back" ;;
	*) run_behind --at "$3" --act "$2" ;;
	esac
	failed=$(awk '$2 != "pass" { print $3, $4, $5; exit }' "$SPARE/requests")
	echo "failed: $failed"
	case $failed in
	'' | *' twilight-deploy' | GET*' Docker-Client/'[0-9]*) code "$expected" ;;
	esac
	true_code "$2"
	if [ "$CODE" -gt 1 ] || journal_there; then recovered; fi
	at_rest
	jq -e . "$STATE/history.jsonl" >/dev/null || fail "a history of records"
	[ "$(records)" -le $((lines + 1)) ] || fail "one record of it at most"
}

# true_code ACT: checks that the exit code is true.
true_code() {
	case $CODE in
	0)
		[ "$new" != $BAD ] || fail "no exit code 0 for a bad release"
		serves "$new"
		;;
	1) serves "$old" ;;
	4)
		[ "$words" != recover ] || fail "no exit code 4: the deploy had changed things"
		env_is "$old"
		[ "$(look)" = "$before" ] || fail "exit code 4 where nothing was changed"
		;;
	5)
		# an engine that stays away cannot be observed
		[ "$1" = away ] || [ "$(look)" != "$before" ] || ! served "$old" ||
			fail "no exit code 5 where the old container serves untouched"
		;;
	*) fail "exit code 0, 1, 4 or 5, not $CODE" ;;
	esac
	case $CODE in
	0 | 1) [ "$(records) $(record_field code)" = "$((lines + 1)) $CODE" ] ||
		fail "the history has it with code $CODE: $(last_record)" ;;
	esac
}

recovered() {
	here recover
	[ "$CODE" -le 1 ] || fail "recover: exit code 0 or 1, not $CODE"
	if grep -q "$new" "$ENV_FILE" && [ "$new" != $BAD ]; then
		serves "$new"
	else
		serves "$old"
	fi
}

# -- the points --------------------------------------------------------------------

# count RUN: its number of requests without faults.
count() {
	prepare "$1"
	run_behind
	code "$expected"
	true_code pass
	at_rest
	wc -l <"$SPARE/requests" >"$WORK/count.new.$1"
	mv "$WORK/count.new.$1" "$WORK/count.$1"
}

# points RUN: prints RUN ACT N; in a sample the acts alternate along the run.
points() {
	awk -v run="$1" -v n="$(cat "$WORK/count.$1")" -v mode="$MODE" 'BEGIN {
		acts = split("500 close hang away", act)
		if (mode == "all") {
			for (i = 1; i <= n; i++)
				for (a = 1; a <= acts; a++)
					print run, act[a], i
			exit
		}
		for (i = 0; i < 9; i++)
			print run, act[i % acts + 1], 1 + int(i * n / 9)
	}'
}

# job NAME COMMAND...: in a subshell, because an assertion ends it.
job() {
	jb_name=$1
	shift
	mkdir "$WORK/taken.$jb_name" 2>/dev/null || return 0
	jb_result=FAIL
	("$@") >"$SPARE/output" 2>&1 && jb_result=PASS
	echo $jb_result >>"$WORK/results"
	if [ -n "${LOUD-}" ] || [ $jb_result = FAIL ]; then
		{
			echo "$jb_result $jb_name$(sed -n 's/^failed: / at /p' "$SPARE/output")"
			sed -n "$([ -n "${LOUD-}" ] || echo '/^  expected/,$')p" "$SPARE/output"
		} | flock "$WORK" cat
	fi
	[ $jb_result = PASS ]
}

# lane N: takes runs without faults; when all of them are counted, takes points.
lane() {
	trap home_remove EXIT
	trap 'exit 130' INT TERM HUP
	# shellcheck disable=SC2031 # each lane has its own ports
	FREE_PORT=$((20000 + (FREE_PORT + $1 * 2000 - 20000) % 11000))
	home_make "lane$1"
	setting TWILIGHT_HEALTH_TRIES 3
	setting TWILIGHT_HEALTH_SLEEP 0.5
	setting TWILIGHT_HEALTH_SETTLE 0.2
	setting TWILIGHT_CALL_LIMIT 3
	setting TWILIGHT_UP_LIMIT 10
	setting TWILIGHT_PULL_LIMIT 10
	docker_that_kills after 'compose up'
	"${engine}_lane"
	job "lane $1" states_make || return
	for run in $RUNS; do
		job "$run" count "$run" || echo 0 >"$WORK/count.$run"
	done
	wait_for 300 all_counted
	for run in $RUNS; do
		points "$run" >"$SPARE/points"
		while read -r ln_run ln_act ln_n; do
			case "$ln_run $ln_act $ln_n" in
			*"${ONLY-}"*) job "$ln_run $ln_act $ln_n" point "$ln_run" "$ln_act" "$ln_n" ;;
			esac
		done <"$SPARE/points"
	done
}

all_counted() {
	for run in $RUNS; do
		[ -e "$WORK/count.$run" ] || return 1
	done
}

# -- the engines -------------------------------------------------------------------

# For each kind: set up for all lanes; set up for one lane, with the sockets of its engine
# and its proxy; put an image into its registry (sets IMAGE); remove the proxy.

real_begin() {
	engine_start "$WORK/engine" && mkdir "$WORK/image" &&
		${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -static -o "$WORK/image/service" \
			"$ROOT/mocks/service.c"
}

real_lane() {
	engine_socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
	engine_socket=${engine_socket#unix://}
	proxy_socket=$SPARE/socket
}

real_publish() { publish "$@"; }
real_alone() { rm -f "$proxy_socket"; }

# The fake's command line uses the folder of the socket, without a proxy: only requests of
# the program can fail.
fake_begin() {
	ENGINE_REGISTRY=registry.example
	PATH=$ROOT/build/mocks:$PATH
	# the lanes mostly wait
	lanes=8
	[ -x "$ROOT/build/mocks/docker" ] && [ -x "$ROOT/build/service" ]
}

fake_lane() {
	fake=$SPARE/engine
	mkdir -p "$fake/behaviour"
	echo "$REPO" >"$fake/repository"
	echo "$PROJECT" >"$fake/project"
	proxy_socket=$fake/docker.sock
	engine_socket=$fake/engine.sock
	"$ROOT/build/engine" serve --die-with-parent "$fake" &
	wait_for 10 test -S "$proxy_socket"
	mv "$proxy_socket" "$engine_socket"
	fake_alone
	DOCKER_HOST=unix://$proxy_socket
	export DOCKER_HOST
	setting DOCKER_HOST "$DOCKER_HOST"
	: >"$fake/control"
	"$ROOT/build/service" --address 127.0.0.1 --port "$PORT" --control "$fake/control" \
		>"$SPARE/service" 2>&1 &
	fake_service=$!
	trap 'kill $fake_service' EXIT
}

fake_publish() {
	IMAGE=sha256:$(printf '%064d' "${1#sha-}")
	echo "$REPO:$1 $IMAGE" >>"$fake/registry"
	echo "$2" >"$fake/behaviour/$IMAGE"
}

fake_alone() { ln -f "$engine_socket" "$proxy_socket"; }

engine=${3:-real}
lanes=2
: >"$WORK/results"
${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$WORK/proxy" "$ROOT/mocks/proxy.c" ||
	exit 1
if "${engine}_begin"; then
	for n in $(seq "${LANES:-$lanes}"); do
		(lane "$n") </dev/null &
		lane_pids="$lane_pids $!"
	done
	for pid in $lane_pids; do
		wait "$pid"
	done
	lane_pids=
else
	echo "FAIL the $engine engine (see above)" | tee "$WORK/results"
fi
passed=$(grep -c ^PASS "$WORK/results")
failed=$(grep -c ^FAIL "$WORK/results")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
