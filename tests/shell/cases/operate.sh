# operate.sh: status, history, concurrent requests, signals, clients that leave.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

test_status() {
	net status
	is "exit code" "$rc" 0
	has "the version" "$out" "$old"
	matches "drift, by an engine that is blind" "$out" '^drift: +unknown$'
	is "docker moves nothing" "$(grep -c -e pull -e ' up ' -e ' rm ' -e ' tag ' "$log")" 0
}

test_memory_status() {
	memory v1.0.0
	publish v1.0.1
	deploy v1.0.1
	net status
	is "exit code" "$rc" 0
	has "the version" "$out" v1.0.1
	matches "its health, and since when" "$out" \
		'^data: +healthy, v1.0.1, up [0-9]+ s, deployed [0-9]+ s ago by [^ ]+$'
	matches "where it can go back to" "$out" '^can roll back to: v1.0.0$'
	rm "$state/history.jsonl"
	mkdir "$state/history.jsonl"
	net status
	is "exit code without a history" "$rc" 4
	matches "that it cannot be read" "$out" '^last: +unknown$'
	has "why there is none" "$err" "cannot read the history"
}

# If docker does not answer, status still shows the health.  Without an observation it
# does not guess what a rollback would choose.
test_memory_status_without_docker() {
	memory v1.0.0
	publish v1.0.1
	deploy v1.0.1
	fault '* 500 GET /containers'
	export TWILIGHT_CALL_LIMIT=1
	net status
	is "exit code" "$rc" 4
	has "why" "$err" "does not answer: answered 500"
	matches "health" "$out" '^data: +healthy$'
	matches "no rollback target is guessed" "$out" '^can roll back to: unknown$'
}

# status shows the release that `rollback` then chooses.
test_memory_status_of_a_container_that_ended() {
	memory v1.0.0
	publish v1.0.1
	deploy v1.0.1
	sed 's/ running healthy / running exit /' "$engine/containers" >"$T/containers"
	cat "$T/containers" >"$engine/containers"
	behave down
	net status
	is "exit code" "$rc" 0
	matches "what is down" "$out" '^data: +DOWN, exited \(exit 1\)'
	matches "the rollback target" "$out" '^can roll back to: v1.0.0$'
	net rollback --allow all
	is "exit code of the rollback" "$rc" 0
	runs v1.0.0
}

# A refused rollback has adopted what runs: that is no deploy.
test_memory_status_of_what_was_adopted() {
	memory v1.0.0
	op rollback
	is "exit code of the rollback" "$rc" 2
	net status
	matches "the last deploy" "$out" '^last: +nothing was deployed yet$'
	net "status --wait"
	has "as it is waited for" "$out$err" "nothing was deployed yet"
}

test_status_without_a_host() {
	rm "$env"
	net status
	is "exit code" "$rc" 4
	has "message" "$all" "missing env file: $env"
}

# Without a history the message names the folder: it may be the wrong one.
test_nothing_was_deployed() {
	nothing="  - nothing was deployed yet: no history in $state"
	for made in no yes; do
		net history
		is "exit code of the history" "$rc" 0
		is "the history" "$out$err" "$nothing"
		net "history --json"
		is "records" "$out" ""
		net "status --wait"
		is "exit code of status --wait" "$rc" 0
		is "status --wait" "$out$err" "$nothing"
		[ -d "$state" ] || mkdir -m 700 "$state"
	done
}

test_history() {
	net history
	is "exit code of none" "$rc" 0
	deploy v1.0.0
	behave never
	deploy v1.0.1
	behave healthy
	deploy v1.0.2
	net history
	is "exit code" "$rc" 0
	for tag in v1.0.0 v1.0.1 v1.0.2; do
		has "it knows" "$out" $tag
	done
	matches "how it ended" "$out" '^[0-9]+ s +deploy +v1.0.0 -> v1.0.1 +unverified +[0-9.]+ s +[^ ]+$'
	matches "why" "$out" '^ +http://127.0.0.1:.*: answered 503'
	is "and nothing where there is nothing" "$(printf '%s\n' "$out" | grep -c '^ ')" 1
	net "history 1"
	is "exit code of one" "$rc" 0
	has "the newest" "$out" v1.0.2
	lacks "only that" "$out" v1.0.1
}

# An answer that cannot be written is a failure; a reader that closes is not.
test_answer_that_cannot_be_written() {
	deploy v1.0.0
	for verb in history status help version; do
		"$PROGRAM" $verb >/dev/full 2>"$T/err"
		is "exit code of $verb" $? 4
		has "what is wrong" "$(cat "$T/err")" "cannot write the answer: No space left"
	done
	mkfifo "$T/pipe"
	exec 3<>"$T/pipe" 4>"$T/pipe" 3<&-
	"$PROGRAM" history >&4 2>"$T/err"
	is "exit code where the reader has left" $? 0
	exec 4>&-
	"$PROGRAM" deploy v1.0.1 --json >/dev/full 2>"$T/err"
	is "exit code of a deploy: what came of it" $? 0
}

# Tags of 40 digits: no line of history or status has more than 80 columns.
test_memory_long_tags() {
	memory v1.0.0
	export TWILIGHT_TAG_PATTERN='[0-9a-f]{40}'
	one=1111111111111111111111111111111111111111
	two=2222222222222222222222222222222222222222
	publish $one
	publish $two never
	deploy $one
	is "exit code of one" "$rc" 0
	deploy $two
	is "exit code of two" "$rc" 1
	net history
	matches "both tags" "$out" '^[0-9]+ s +deploy +111111111111.. -> 222222222222.. +rolled back, bad '
	is "wide lines of history" "$(printf '%s\n' "$out" | grep -cE '.{81}')" 0
	net status
	has "the whole tag" "$out" $one
	has "who" "$out" " ago by "
	is "wide lines of status" "$(printf '%s\n' "$out" | grep -cE '.{81}')" 0
	net help
	is "wide lines of help" "$(printf '%s\n' "$out" | grep -cE '.{81}')" 0
}

test_history_numbers() {
	for n in 0 -1 x 1x 99999999999999999999 ''; do
		net "history $n"
		is "exit code of [history $n]" "$rc" 2
	done
}

# Each line is JSON; a torn last line does no harm.
test_history_file() {
	deploy v1.0.0
	deploy v1.0.1
	file=$state/history.jsonl
	is "mode" "$(stat -c %a "$file")" 600
	if command -v python3 >/dev/null; then
		python3 -c 'import json,sys
for line in open(sys.argv[1]): json.loads(line)' "$file" || wrong "each line" "JSON" "$(cat "$file")"
	fi
	printf '{"id":"torn' >>"$file"
	deploy v1.0.2
	is "exit code" "$rc" 0
	net history
	is "history" "$rc" 0
	for tag in v1.0.0 v1.0.1 v1.0.2; do
		has "it knows" "$out" $tag
	done
	lacks "the torn one is gone" "$(cat "$file")" torn
}

# Failed deploys must not fill the history until rollback targets are lost.
test_memory_failures_do_not_pile_up() {
	memory v1.0.0
	publish v1.0.1
	deploy v1.0.1
	deploy v1.0.9
	is "exit code of a tag that is not there" "$rc" 1
	last=$(tail -n 1 "$state/history.jsonl")
	yes "$last" | head -n 1200 >>"$state/history.jsonl"
	deploy v1.0.9
	is "exit code of another" "$rc" 1
	is "records" "$(wc -l <"$state/history.jsonl")" 1002
	net rollback --allow all
	is "exit code of a rollback" "$rc" 0
	runs v1.0.0
}

# An engine that fails during the trimming of the history costs no rollback target.
test_memory_trimming_with_an_engine_that_stumbles() {
	memory "$old"
	publish v1.0.1
	deploy v1.0.1
	deploy v1.0.9
	last=$(tail -n 1 "$state/history.jsonl")
	yes "$last" | head -n 1200 >>"$state/history.jsonl"
	fault "* 500 GET /images/$(image_of "$old")"
	export TWILIGHT_CALL_LIMIT=1
	deploy v1.0.9
	fault
	matches "the history is trimmed" "$(wc -l <"$state/history.jsonl")" '^100.$'
	net rollback --allow all
	is "exit code of a rollback" "$rc" 0
	runs "$old"
}

test_state_folder() {
	deploy "$new"
	is "mode" "$(stat -c %a "$state")" 700
	is "no journal is left" "$(ls "$state/journal" 2>/dev/null)" ""
	is "files are for the owner only" "$(find "$state" -type f ! -perm 600 ! -perm 400)" ""
}

test_state_folder_elsewhere() {
	TWILIGHT_STATE=$T/state
	export TWILIGHT_STATE
	deploy "$new"
	is "exit code" "$rc" 0
	is "it is there" "$(ls "$T/state/history.jsonl")" "$T/state/history.jsonl"
	is "and not in the home" "$(ls -d "$state" 2>/dev/null)" ""
}

# --- clients that leave, and signals ----------------------------------------------

# The client closes its streams: the deploy goes on.
test_client_leaves() {
	behave slow=500
	(
		SSH_ORIGINAL_COMMAND="deploy $new" "$PROGRAM" 2>&1 </dev/null
		echo $? >"$T/code"
	) | head -c 1 >"$T/first"
	await test -s "$T/code"
	is "exit code" "$(cat "$T/code")" 0
	is ".env" "$(version)" "$new"
	has "the history knows" "$(cat "$state/history.jsonl")" "$new"
}

test_client_left_before() {
	SSH_ORIGINAL_COMMAND="deploy $new" "$PROGRAM" >&- 2>&- <&-
	is "exit code" $? 0
	is ".env" "$(version)" "$new"
}

# A client that does not read must not keep us from releasing the lock.
test_client_stalls() {
	mkfifo "$T/pipe"
	# shellcheck disable=SC2217 # not to read is what it is there for
	sleep 20 <"$T/pipe" &
	sleeper=$!
	memory
	publish "$new"
	fault '* flood docker compose pull'
	SSH_ORIGINAL_COMMAND="deploy $new" timeout -k 1 15 "$PROGRAM" >"$T/pipe" 2>&1 </dev/null
	is "exit code" $? 0
	is ".env" "$(version)" "$new"
	kill $sleeper
}

# SIGHUP, sent when a connection ends, changes nothing.
test_hangup() {
	behave slow=500
	begin "deploy $new"
	await was_called "compose up"
	kill -HUP "$asked"
	finish
	is "exit code" "$rc" 0
	is ".env" "$(version)" "$new"
}

# Looking, while another deploys.
test_status_of_a_deploy_under_way() {
	memory v1.0.0
	publish v1.0.1 delay=1000
	export TWILIGHT_HEALTH_TRIES=10 TWILIGHT_HEALTH_SLEEP=1
	begin "deploy v1.0.1"
	await grep -q v1.0.1 "$engine/control"
	SSH_ORIGINAL_COMMAND=status "$PROGRAM" >"$T/status" 2>&1 </dev/null
	is "exit code of status" $? 0
	has "it names what is coming" "$(cat "$T/status")" v1.0.1
	finish
	is "exit code of the deploy" "$rc" 0
	runs v1.0.1
}

# The exit code says what was done, whoever reads the answer.
test_freeze() {
	net "freeze for=2h the database moves" --allow freeze,unfreeze --actor alice
	is "exit code" "$rc" 0
	matches "what is so" "$out" '^target default is frozen: the database moves \(by alice, until [0-9-]+ [0-9:]+ UTC\)$'
	is "the file is for the owner only" "$(stat -c %a "$state/freeze")" 600
	deploy "$new"
	is "exit code of a deploy" "$rc" 2
	matches "why" "$err" '^twilight-deploy: target default is frozen: the database moves \(by alice, until '
	is ".env" "$(version)" "$old"
	"$PROGRAM" unfreeze >/dev/full 2>&1
	is "exit code of an answer that is lost" $? 0
	deploy "$new"
	is "exit code of a deploy afterwards" "$rc" 0
}
