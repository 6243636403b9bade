#!/bin/sh
# run.sh: runs the rows of *.table: the real program with the fake engine.
#
#   tests/scenarios/run.sh PROGRAM [PATTERN]
#
# PATTERN is an ERE over the names of the rows.  JOBS rows run at a time (10); a request may
# take LIMIT seconds (30); KEEP=1 keeps the trees.  Needs build/service, build/engine and
# build/mocks/docker.  README.md describes the tables.  Exits 1 if a row failed, 2 if there is
# nothing to run.
set -uf

here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../build
if [ $# -lt 1 ] || [ ! -x "$1" ]; then
	echo "usage: run.sh PROGRAM [PATTERN]" >&2
	exit 2
fi
PROGRAM=$(realpath "$1")
repository=ghcr.io/twilight/demo
worker=ghcr.io/twilight/worker
jobs=${JOBS:-10}
limit=${LIMIT:-30}
shm=/dev/shm
[ -w $shm ] || shm=/tmp
room=$(mktemp -d "${TMPDIR:-$shm}/scenarios.XXXXXX") || exit 2

await() { # COMMAND…: waits until it succeeds, at most ten seconds
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || return 1
		sleep 0.01
	done
}

wrong() { # WHAT WANT GOT
	wrongs=$((wrongs + 1))
	printf '  %s: want %s, got %s\n' "$1" "$2" "$3"
}

is() { # WHAT GOT WANT
	[ "$2" = "$3" ] || wrong "$1" "$3" "$2"
}

# --- the world ------------------------------------------------------------------

number() { # vN is build N; latest and main have builds from 100 on
	case $1 in
	v[0-9]*) build=${1#v} ;;
	[0-9]*) build=$1 ;;
	*) build=100 ;;
	esac
}

id() { # BUILD
	id=sha256:$(printf %012d%052d "$1" 0) # the first twelve digits are docker's short id
}

publish() { # TAG [BUILD]: the registry has that build under the tag
	number "$1"
	id "${2:-$build}"
	sed -i "\\,$repository:$1 ,d" "$E/registry"
	echo "$repository:$1 $id" >>"$E/registry"
}

set_env() { # VALUE
	printf 'BEFORE=1\nTWILIGHT_VERSION=%s\nSECRET=hunter2\n' "$1" >"$T/home/.env"
}

# Runs docker without log and faults.
silently() { # TAG ARGS…
	TWILIGHT_VERSION=$1
	export TWILIGHT_VERSION
	shift
	"$build_dir/engine" docker "$E" "$@" 2>/dev/null >&2
	unset TWILIGHT_VERSION
}

setup() {
	T=$1 E=$1/engine S=$1/home/.twilight-deploy wrongs=0 codes='' asked='' build_dir=$build options=''
	mkdir -p "$E/behaviour" "$T/home/source/deploy"
	: >"$T/home/source/deploy/compose.yml"
	for v in $(env | sed -n 's/^\(\(TWILIGHT\|COMPOSE\|DOCKER\|SSH\)_[A-Z_]*\)=.*/\1/p'); do
		unset "$v"
	done
	unset build
	for build in 1 2 3 4 5 6 7 8 9; do
		id $build
		echo "$repository:v$build $id"
	done >"$E/registry"
	publish latest
	: >"$E/control"
	: >"$T/all.log"
	: >"$T/talk"
	"$build_dir/service" --address 127.0.0.1 --port 0 --port-file "$T/port" \
		--control "$E/control" >/dev/null 2>&1 &
	service=$!
	"$build_dir/engine" serve --die-with-parent "$E" &
	engine=$!
	set_env v1
	silently v1 compose pull data
	silently v1 compose up -d data
	await test -s "$T/port" || wrong "the service" ready "not so"
	await test -S "$E/docker.sock" || wrong "the engine" ready "not so"
	read -r port <"$T/port"
	export PATH="$build_dir/mocks:$PATH" DOCKER_HOST="unix://$E/docker.sock" \
		TWILIGHT_HOME="$T/home" TWILIGHT_HEALTH_URL="http://127.0.0.1:$port/healthz" \
		TWILIGHT_HEALTH_TRIES=2 TWILIGHT_HEALTH_SLEEP=0 TWILIGHT_HEALTH_SETTLE=0 \
		TWILIGHT_DISK_MIN=1M TWILIGHT_TAG_PATTERN='v[0-9]+|latest|main' \
		TWILIGHT_CALL_LIMIT=30
}

teardown() {
	[ -z "$asked" ] || kill -KILL "$asked" 2>/dev/null
	free_call
	kill "$service" "$engine" ${second:+"$second"} ${third:+"$third"} 2>/dev/null
	wait 2>/dev/null
}

# A held call is a `sleep`; during its execve(2) the process has no name.
is_asleep() { # PID
	[ ! -e "/proc/$1" ] || grep -aqs '^sleep' "/proc/$1/cmdline"
}

# drain [KEY=VALUE…]: the first service is drained
drain() {
	{
		printf '[target default]\ndrain_url = http://127.0.0.1:%s/drain\n' "$port"
		printf 'drain_done_url = http://127.0.0.1:%s/drain\ndrain_done_expect = active_jobs=0\n' "$port"
		for one in "$@"; do
			echo "$one" | sed "s/PORT/$port/"
		done
	} >"$T/conf"
	options="--config $T/conf"
}

# two [URL [VERSION]]: a second service, worker, with its own images: build 5N is its vN
two() {
	for build in 1 2 3 4 5 6 7 8 9; do
		id 5$build
		echo "$worker:v$build $id"
	done >>"$E/registry"
	echo '{"data":{"image":"'$repository':%t"},"worker":{"image":"'$worker':'"${2:-%t}"'"}}' >"$E/services"
	: >"$E/control.worker"
	"$build_dir/service" --address 127.0.0.1 --port 0 --port-file "$T/port2" \
		--control "$E/control.worker" >/dev/null 2>&1 &
	second=$!
	silently v1 compose pull data worker
	silently v1 compose up -d data worker
	await test -s "$T/port2" || wrong "the second service" ready "not so"
	read -r port2 <"$T/port2"
	printf '[target default]\nhealth_url.worker = %s\n' "${1:-http://127.0.0.1:$port2/healthz}" >"$T/conf"
	export TWILIGHT_SERVICE=data,worker
	options="--config $T/conf"
}

# The first service has the strategy `rehearse`; its candidate answers at a port of its own.
rehearse() {
	echo down - >"$E/control.candidate"
	"$build_dir/service" --address 127.0.0.1 --port 0 --port-file "$T/port3" \
		--control "$E/control.candidate" >/dev/null 2>&1 &
	third=$!
	await test -s "$T/port3" || wrong "the candidate's service" ready "not so"
	read -r TWILIGHT_PORT <"$T/port3"
	export TWILIGHT_PORT TWILIGHT_STRATEGY=rehearse
}

# The same two services as two targets, each with its own variable in one .env.
targets() {
	export WORKER_VERSION=v1
	echo WORKER_VERSION=v1 >>"$T/home/.env"
	two '' '%{WORKER_VERSION}'
	unset WORKER_VERSION TWILIGHT_SERVICE
	{
		env | sed -n '/TWILIGHT_HEALTH_URL/d; s/^TWILIGHT_\([A-Z_]*=\)/\L\1/p'
		printf '[target default]\nhealth_url.data = %s\n' "$TWILIGHT_HEALTH_URL"
		printf '[target worker]\nservices = worker\nvariable = WORKER_VERSION\n'
		grep worker "$T/conf"
	} >"$T/targets"
	options="--config $T/targets"
	for v in $(env | sed -n 's/^\(TWILIGHT_[A-Z_]*\)=.*/\1/p'); do
		unset "$v"
	done
}

free_call() {
	[ ! -s "$E/hanging" ] || while read -r pid; do
		await is_asleep "$pid" && kill -KILL "$pid" 2>/dev/null
	done <"$E/hanging"
	rm -f "$E/hanging"
}

# --- clauses ----------------------------------------------------------------------

call() { # short words for patterns of calls
	case $1 in
	pull | up | config | version | restart | run) echo "docker compose $*" ;;
	tag) echo "docker image $*" ;;
	untag) echo "docker image rm" ;;
	rm | stop) echo "docker $1" ;;
	list) echo "GET /containers/json" ;;
	look) echo "GET /containers/*/json" ;;
	image) echo "GET /images/*/json" ;;
	*) echo "$*" ;;
	esac
}

fault() { # NTH ACTION PATTERN…
	what="$1 $2"
	shift 2
	what="$what $(call "$@")"
	echo "$what" >>"$E/faults"
	# the program waits for an engine that stays away, a third of this for one answer
	case $what in
	\**GET* | [0-9]*+\ *GET*) export TWILIGHT_CALL_LIMIT=1 ;;
	*hang\ GET*) export TWILIGHT_CALL_LIMIT=6 ;;
	esac
}

calm() {
	rm -f "$E/faults"
	[ -z "${TWILIGHT_CALL_LIMIT-}" ] || TWILIGHT_CALL_LIMIT=30 # else it is in the file
}

begin() { # REQUEST…: in the background
	cat "$E/calls.log" >>"$T/all.log" 2>/dev/null
	: >"$E/calls.log"
	echo "    \$ $*" >>"$T/talk"
	# shellcheck disable=SC2086 # words
	"$PROGRAM" $options "$@" >>"$T/talk" 2>&1 </dev/null &
	asked=$!
}

finish() {
	(timeout "$limit" tail -s 0.1 -f /dev/null --pid="$asked" || kill -KILL "$asked") 2>/dev/null &
	waker=$!
	wait "$asked"
	codes="$codes $?"
	kill "$waker" 2>/dev/null
	asked=''
	calm
}

ask() {
	cat "$E/calls.log" >>"$T/all.log" 2>/dev/null
	: >"$E/calls.log"
	echo "    \$ $*" >>"$T/talk"
	# shellcheck disable=SC2086 # words
	timeout -k 1 "$limit" "$PROGRAM" $options "$@" >>"$T/talk" 2>&1 </dev/null
	codes="$codes $?"
	calm
}

is_held() { # GREP-PATTERN NTH
	case $1 in
	# it must have become sleep(1), so that free_call() recognises it
	docker*) [ -s "$E/hanging" ] && grep -aq '^sleep' "/proc/$(tail -n 1 "$E/hanging")/cmdline" ;;
	*) [ "$(grep -c "^$1" "$E/calls.log")" -ge "$2" ] ;;
	esac
}

# hold at|after [NTH] CALL: REQUEST
hold() {
	action=hang nth=1
	[ "$1" = at ] || action=+hang
	shift
	case $1 in [0-9]*) nth=$1 && shift ;; esac
	line=$*
	held=${line%%: *}
	# shellcheck disable=SC2086 # words
	{
		fault "$nth" $action $held
		held=$(call $held | sed 's/\*/.*/g')
		begin ${line#*: }
	}
	await is_held "$held" "$nth" || wrong "a call that is held" "$held" none
}

gone() { # TAG…: this host loses the images of these builds
	for tag in "$@"; do
		number "$tag"
		id "$build"
		sed -i "/ $id\$/d" "$E/images"
	done
}

# Runs a clause; README.md describes them.
clause() {
	# shellcheck disable=SC2086 # words
	set -- $1
	verb=${1-}
	case $verb in
	'') ;;
	[0-9]* | \*) fault "$@" ;;
	deploy | plan | verify | rollback | recover | status | history | freeze | unfreeze) ask "$@" ;;
	by) options="$options --trigger $2" ;;
	two) shift && two "$@" ;;
	targets) targets ;;
	rehearse) rehearse ;;
	drain) shift && drain "$@" ;;
	job) # WORD: the pre-deploy job's container behaves like that, now and later
		sed -i "/-run-/s/ running [a-z]* / running $2 /" "$E/containers" 2>/dev/null
		echo "$2" >"$E/behaviour/job"
		;;
	migrate) # [WORDS…]: there is a pre-deploy job, a service of its own
		shift
		printf '{"data":{"image":"%s:%%t"},"migrate":{"image":"%s:%%t","profiles":["job"]}}\n' \
			$repository $worker >"$E/services"
		for build in 1 2 3 4 5 6 7 8 9; do
			id 5$build
			echo "$worker:v$build $id"
		done >>"$E/registry"
		export TWILIGHT_PRE_DEPLOY="migrate $*"
		;;
	jobs) echo "$2" >"$E/control.jobs" ;; # how many the first service works on
	hold) shift && hold "$@" ;;
	begin) shift && begin "$@" ;;
	until) await grep -qs -e "$3" "$T/$2" || wrong "$2" "$3" "not so" ;;
	orphan | kill) # the program; and the call that is held
		kill -KILL "$asked"
		wait "$asked" 2>/dev/null
		asked=''
		calm
		[ "$verb" = orphan ] || free_call
		;;
	free) free_call && finish ;;
	term) kill -TERM "$asked" ;;
	await) finish ;;
	env) set_env "$2" ;;
	gone) shift && gone "$@" ;;
	nothing) : >"$E/containers" && echo down - >"$E/control" ;; # runs
	runs) # TAG: started by hand, as by a boot or an operator
		silently "$2" compose pull data
		silently "$2" compose up -d data --force-recreate
		;;
	version) export TWILIGHT_VERSION_URL="http://127.0.0.1:$port${2:-/health/version}" ;;
	signers)
		ssh-keygen -q -t ed25519 -N '' -C test -f "$T/key"
		echo "ci $(cat "$T/key.pub")" >"$T/signers"
		export TWILIGHT_SIGNED_BY="$T/signers"
		;;
	signed) # TEXT REQUEST: with a signature of the text
		sig=$(printf %s "$2" | ssh-keygen -q -Y sign -n twilight-deploy -f "$T/key" 2>/dev/null | sed '1d;$d' | tr -d '\n')
		shift 2
		ask "$*" sig="$sig"
		;;
	locked) exec 9<"$T/home/source/deploy" && flock 9 ;;
	dies) sed -i 's/ running / exited /' "$E/containers" && echo down - >"$E/control" ;;
	outage) # [CLAUSE]: the engine is killed; what CLAUSE does happens meanwhile
		kill -KILL "$engine" && wait "$engine" 2>/dev/null
		rm -f "$E/docker.sock"
		clause "${2-}"
		"$build_dir/engine" serve --die-with-parent "$E" &
		engine=$!
		;;
	file) # NAME TEXT
		name=$2
		shift 2
		echo "$*" >"$E/$name"
		;;
	repository) # REPOSITORY: the compose file names another one, with the same images
		echo "$2" >"$E/repository"
		sed "s,^$repository:,$2:," "$E/registry" >"$T/registry"
		cat "$T/registry" >>"$E/registry"
		;;
	name) number "$3" && id "$build" && silently - image tag "$id" "$repository:$2" ;;
	pull) silently "$2" compose pull data ;;
	stub) export PATH="$here/../../mocks/silent:$PATH" ;;
	line) # NAME TEXT
		name=$2
		shift 2
		echo "$*" >>"$E/$name"
		;;
	sh) shift && (cd "$T" && set +f && eval "$*") ;;
	[A-Z]*=*) export "TWILIGHT_$1" ;;
	*:=*) publish "${1%:=*}" "${1#*:=}" ;;
	\#*=*) id "$(printf %s "${1%%=*}" | tr -d \#)" && echo "${1#*=}" >"$E/behaviour/$id" ;;
	*=*) echo "${1#*=}" >"$E/behaviour/${1%%=*}" ;;
	*) wrong "a clause" known "$*" ;;
	esac
}

clauses() { # TEXT
	rest="$1;"
	while [ -n "$rest" ]; do
		clause "${rest%%;*}"
		rest=${rest#*;}
	done
}

# --- what is expected ---------------------------------------------------------------

version() {
	sed -n 's/^TWILIGHT_VERSION=//p' "$T/home/.env"
}

# Prints TAG; TAG#BUILD if the build is another; TAG:WORD if it does not just run.
running() { # SERVICE
	while read -r _ name image ref state word _; do
		number "${ref##*:}"
		[ "$1" = data ] || build=5$build
		id "$build"
		one=${ref#"$repository"}
		one=${one#"$worker"}
		one=${one#:}
		[ "$image" = "$id" ] || one="$one#$(echo "$image" | sed 's/^sha256:0*\(.*\)0\{52\}/\1/')"
		[ "$state" = running ] || word=$state
		case $word in healthy | after=* | slow=* | redirect) ;; *) one="$one:$word" ;; esac
		case $name in *-"$1"-*) echo "$one" ;; esac
	done <"$E/containers" | paste -sd,
}

# Checks that the names have the images that run, so that a plain `up` changes nothing.
settled() {
	while read -r _ name image ref _; do
		case $name in *-data-1 | *-worker-1) is "the image of $ref" "$(sed -n "s,^$ref ,,p" "$E/images")" "$image" ;; esac
	done <"$E/containers"
}

calls() {
	cat "$T/all.log" "$E/calls.log" | grep -c "^$(call "$1")"
}

outcomes() {
	sed -n 's/.*"outcome": *"\([a-z_ -]*\)".*/\1/p' "$S/history.jsonl" 2>/dev/null | tr ' ' -
}

tags() { # on this host, of this service
	sed -n "s,^$repository:\([^ ]*\) .*,\1,p" "$E/images" | LC_ALL=C sort | paste -sd,
}

expect() {
	case $1 in
	[0-9]) want="$want $1" ;;
	v[0-9] | latest | main) is ".env" "$(version)" "$1" && is "what runs" "$(running data)" "$1" ;;
	env:*) is ".env" "$(version)" "${1#*:}" ;;
	runs:*) is "what runs" "$(running data)" "${1#*:}" ;;
	worker:*) is "what the worker runs" "$(running worker)" "${1#*:}" ;;

	did:*) is history "$(outcomes | tail -n +$((had + 1)) | grep -v adopted | paste -sd,)" "${1#*:}" ;;
	adopts:*) is adopted "$(outcomes | grep -c adopted)" "${1#*:}" ;;
	tags:*) is "names on this host" "$(tags)" "${1#*:}" ;;
	has:* | lacks:*)
		n=$(grep -c "^$(echo "${1#*:}" | sed 's/#\(.*\)/ sha256:0*\10*$/')" "$E/images")
		[ "${1%%:*}" = has ] && n=$((n == 0))
		is "on this host, $1" "$n" 0
		;;
	says:*) # _ is any character
		tr '\n' ' ' <"$T/talk" | grep -q "$(echo "${1#*:}" | tr _ .)" || wrong says "$1" "else"
		;;
	mute:*) ! grep -q "$(echo "${1#*:}" | tr _ .)" "$T/talk" || wrong says "no $1" it ;;
	asked:*) is "what the service was asked" "$(uniq "$E/control.asked" 2>/dev/null | paste -sd,)" "${1#*:}" ;;
	journal) journal=left ;;
	drift) drift=1 ;;
	ended)
		touch "$E/hanging"
		[ -s "$E/hanging" ] || wrong "a call that hung" one none
		while read -r pid; do
			! grep -aqs '^sleep' "/proc/$pid/cmdline" || wrong "the call that hung" ended "still there"
		done <"$E/hanging"
		;;
	[a-z]*:[0-9]*) is "calls of ${1%:*}" "$(calls "${1%:*}")" "${1#*:}" ;;
	*) wrong "an expectation" known "$1" ;;
	esac
}

finale() {
	is "exit codes" "${codes# }" "${want# }"
	found=none
	[ ! -s "$S/journal" ] || found=left
	is journal $found $journal
	[ -n "$drift" ] || [ $found = left ] || settled
	[ $found = left ] || is "one-off containers" "$(grep -c -e -run- -e -candidate- "$E/containers")" 0
	is "the other lines of .env" "$(grep -cxE 'BEFORE=1|SECRET=hunter2' "$T/home/.env")" 2
	is "temporary files" "$(set +f && cd "$T/home" && ls -d .env?* "$S"/*.new "$S"/signature 2>/dev/null)" ""
	is "other files with the secret" "$(cd "$T" && grep -rl hunter2 . | grep -vx ./home/.env)" ""
	is "calls that no docker knows" "$(cat "$T/all.log" "$E/calls.log" | grep -c ^unknown)" 0
}

# --- rows -----------------------------------------------------------------------------

row() { # TREE NAME GIVEN WHEN THEN
	setup "$1"
	trap teardown EXIT
	clauses "$3"
	rm -f "$E/calls.log"
	: >"$T/talk"
	: >"$T/all.log"
	codes='' had=$(outcomes | wc -l)
	clauses "$4"
	want='' journal=none drift=''
	for word in $5; do
		expect "$word"
	done
	finale
	[ $wrongs = 0 ] || cat "$T/talk"
}

# worker N: runs every JOBS-th row.
worker() { # N
	n=0
	while IFS='|' read -r name given when expected; do
		n=$((n + 1))
		[ $((n % jobs)) = "$1" ] || continue
		name=${name%% *}
		mkdir "$room/$name"
		(row "$room/$name" "$name" "$given" "$when" "$expected") >"$room/$name.said" 2>&1
		if [ -s "$room/$name.said" ]; then
			printf 'FAIL %s\n' "$name"
			cat "$room/$name.said"
		fi
		[ -n "${KEEP-}" ] || rm -rf "${room:?}/$name"
	done <"$room/rows" >"$room/worker.$1"
}

trap '[ -n "${KEEP-}" ] && echo "the trees are in $room" || rm -rf "$room"' EXIT
trap 'exit 130' INT TERM
set +f
# a line that starts with a space continues the row
awk '/^#/ || /^$/ { next } /^[ \t]/ { sub(/^[ \t]+/, " "); row = row $0; next }
	{ if (row != "") print row; row = $0 } END { print row }' "$here"/*.table |
	awk -F'[ |]' -v p="${2:-.}" '$1 ~ p' >"$room/rows"
set -f
rows=$(wc -l <"$room/rows")
[ "$rows" -gt 0 ] || exit 2
n=0
while [ $n -lt "$jobs" ]; do
	worker $n &
	n=$((n + 1))
done
wait
set +f
cat "$room"/worker.*
failed=$(cat "$room"/worker.* | grep -c ^FAIL)
echo "$((rows - failed)) passed, $failed failed"
[ "$failed" = 0 ]
