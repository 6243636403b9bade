# json.sh: the answers to --json, in good, failed, refused and empty states, against
# docs/schema/answer.json.
# shellcheck shell=sh disable=SC2154,SC2034

# answers CODE LINES DEFINITION REQUEST [ARGS…]
answers() {
	want=$1 lines=$2 definition=$3 request=$4
	shift 4
	net "$request --json" --allow all "$@"
	is "exit code of $request" "$rc" "$want"
	valid "$request" "$lines" "$definition"
}

# The answers of a case are validated at its end, by one run of python.
valid() { # REQUEST LINES DEFINITION
	is "lines of $1" "$(printf %s "$out" | grep -c .)" "$2"
	[ -z "$out" ] || printf '%s\n' "$out" | sed "s/^/$3\t$1\t/" >>"$T/answers"
}

all_valid() {
	is "what is wrong" "$("$python" "$REPO/tests/shell/schema.py" \
		"$REPO/docs/schema/answer.json" <"$T/answers" 2>&1)" ""
}

needs_schema() {
	for python in python3 /usr/bin/python3; do
		"$python" -c 'import jsonschema' 2>/dev/null && return
	done
	skip "no python3-jsonschema here"
}

# The last value of a member in $out.
says() { # REQUEST MEMBER VALUE
	is "$2 of $1" "$(printf '%s\n' "$out" | sed -n "s/.*\"$2\":\\(\"[^\"]*\"\\|[^,}]*\\).*/\\1/p" | tail -n 1)" "$3"
}

test_memory_schema_of_deploys() {
	needs_schema
	memory v1.0.0
	publish v1.0.1
	publish v1.0.2 never
	answers 0 1 record "plan v1.0.1"
	answers 0 1 record "deploy v1.0.1 seq=7"
	answers 1 1 record "deploy v1.0.2"
	answers 1 1 record "deploy v1.0.9"
	answers 6 1 record "deploy v1.0.1 seq=6"
	answers 0 1 record rollback
	answers 2 1 record rollback
	answers 0 5 record history
	for request in "deploy no:tag" "deploy v1.0.1 seq=x" "plan no:tag" "rollback no:tag" \
		"verify target=none" "recover target=none"; do
		answers 2 1 record "$request"
		says "$request" outcome '"refused"'
	done
	for request in "status target=none" "history 0" "history target=none" "version 1"; do
		answers 2 0 none "$request"
	done
	answers 0 1 version version
	mv "$env" "$home/.env.kept"
	answers 4 1 record "deploy v1.0.1"
	mv "$home/.env.kept" "$env"
	all_valid
}

# A hook gets the same JSON.
test_memory_schema_of_hooks() {
	needs_schema
	memory v1.0.0
	publish v1.0.1 never
	printf '#!/bin/sh\ncat >>%s\n' "$T/got" >"$T/hook"
	chmod +x "$T/hook"
	export TWILIGHT_ON_START="$T/hook" TWILIGHT_ON_RESULT="$T/hook"
	deploy v1.0.1
	out=$(cat "$T/got")
	valid "hooks" 3 record
	all_valid
}

test_memory_schema_of_status() {
	needs_schema
	memory v1.0.0
	answers 0 1 status status
	answers 0 1 record "status --wait"
	answers 0 0 none history
	publish v1.0.1
	answers 0 1 record "deploy v1.0.1"
	answers 0 1 status status
	answers 0 1 status "status --check"
	answers 0 1 record "status --wait"
	answers 0 1 record verify
	edit_env v1.0.0
	answers 1 1 status "status --check"
	edit_env v1.0.1
	behave never
	answers 5 1 status "status --check"
	answers 5 1 record verify
	answers 1 1 record "deploy v1.0.9"
	answers 1 1 record "status --wait"
	empty_host
	answers 5 1 status "status --check"
	fault '* 500 GET /containers'
	export TWILIGHT_CALL_LIMIT=1
	answers 4 1 status status
	for request in "plan v1.0.1" verify "recover --start"; do
		answers 4 "$([ "$request" = "recover --start" ] && echo 2 || echo 1)" record "$request"
	done
	TWILIGHT_HOME=$T/none
	answers 4 1 status status
	answers 4 1 record "status --wait"
	answers 4 0 none history
	all_valid
}

test_memory_schema_of_a_plan() {
	needs_schema
	memory v1.0.0
	publish v1.0.1
	answers 0 1 record "plan v1.0.1"
	has "a plan of nothing else" "$out" \
		'"plan":{"pre_deploy":null,"strategy":[{"service":"data","strategy":"recreate"}],"drain":[],"restart":[],"on_start":null,"on_result":null}'
	deploy v1.0.0
	printf '{"data":{"image":"%s:%%t"},"gateway":{"image":"nginx"},"db":{"image":"db"}}\n' \
		"$repository" >"$engine/services"
	export TWILIGHT_PRE_DEPLOY="data migrate" TWILIGHT_RESTART="gateway, db" \
		TWILIGHT_STRATEGY=rehearse TWILIGHT_PORT=8080 \
		TWILIGHT_DRAIN_URL=http://127.0.0.1:9/drain \
		TWILIGHT_ON_START="/bin/true $secret" TWILIGHT_ON_RESULT=/no/such
	answers 0 1 record "plan v1.0.1"
	has "the plan" "$out" '"plan":{"pre_deploy":"data migrate","strategy":[{"service":"data","strategy":"rehearse"}],"drain":["data"],"restart":["gateway","db"],"on_start":{"program":"/bin/true","executable":true},"on_result":{"program":"/no/such","executable":false}}'
	answers 0 1 record verify
	lacks "verify has no plan" "$out" '"plan":{'
	all_valid
}

test_schema_of_a_freeze() {
	needs_schema
	answers 0 1 record unfreeze
	says unfreeze outcome '"nothing to do"'
	says unfreeze freeze null
	net "freeze --json for=2h the database moves" --allow all
	is "exit code of freeze" "$rc" 0
	valid freeze 1 record
	says freeze outcome '"frozen"'
	says freeze reason '"the database moves"'
	answers 2 1 record "deploy $new"
	answers 2 1 record "plan $new"
	answers 0 1 status status
	says status reason '"the database moves"'
	echo >"$state/freeze"
	answers 4 1 status status
	says status freeze null
	net "freeze --json it moves" --allow all
	valid "freeze again" 1 record
	says "freeze again" until '""'
	answers 0 1 record unfreeze
	says unfreeze outcome '"unfrozen"'
	net "freeze --json for=2h" --allow all
	is "exit code without a reason" "$rc" 2
	valid "freeze without a reason" 1 record
	all_valid
}

test_memory_schema_of_a_recovery() {
	needs_schema
	memory v1.0.0
	publish v1.0.1
	answers 0 1 record recover
	says recover outcome '"nothing to do"'
	fault '* hang docker compose up'
	begin "deploy v1.0.1"
	await test -s "$engine/hanging"
	out=$(SSH_ORIGINAL_COMMAND='status --json' "$PROGRAM" 2>&1)
	valid "status of a running deploy" 1 status
	answers 3 1 record "deploy v1.0.1"
	answers 3 1 record verify
	kill -KILL "$asked" "$(cat "$engine/hanging")"
	wait "$asked" 2>/dev/null
	fault
	answers 0 1 status status
	answers 5 1 record "status --wait"
	answers 1 2 record "recover --start"
	says "recover --start" verb '"start"'
	says "recover --start" outcome '"started"'
	says "recover --start" code 0
	is "the first answer" "$(printf '%s\n' "$out" | grep -c '"verb":"recover".*"outcome":"rolled back","code":1')" 1
	all_valid
}

test_schema_of_a_blind_engine() {
	needs_schema
	answers 0 1 status status
	answers 0 1 record "deploy $new"
	answers 0 1 status status
	answers 0 1 record "plan $old"
	behave never
	answers 5 1 record "deploy $old"
	answers 0 1 record "recover"
	answers 0 1 status status
	all_valid
}
