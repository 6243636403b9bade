# lane.sh: what an automatic deploy needs: the order of pushes, the record in JSON, a
# way to find a deploy again, output that is safe in a CI log.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# One document on stdout, all words on stderr.
record_says() { # ERE
	is "one line on stdout" "$(printf '%s\n' "$out" | wc -l)" 1
	matches "the record" "$out" "^\{.*$1.*\}\$"
}

test_memory_json() {
	memory v1.0.0
	publish v1.0.1
	publish v1.0.2 never
	net "deploy v1.0.1 seq=7 --json"
	is "exit code" "$rc" 0
	record_says '"tag":"v1.0.1".*"outcome":"deployed","code":0,"seq":7'
	is "the history's own line, with its target" "$out" \
		"$(tail -n 1 "$state/history.jsonl" | sed 's/}$/,"target":"default"}/')"
	has "words" "$err" "healthy after"
	net "deploy v1.0.2 --json"
	is "exit code of a failure" "$rc" 1
	record_says '"tag":"v1.0.2".*"outcome":"rolled back","code":1'
	net "deploy v1.0.1 seq=6 --json"
	is "exit code of an older one" "$rc" 6
	record_says '"tag":"v1.0.1".*"outcome":"refused","code":6,"seq":6.*superseded'
	net "deploy no:tag --json"
	is "exit code of a bad tag" "$rc" 2
	record_says '"id":"","time":"2[0-9]{3}-[0-9T:-]{14}Z".*"outcome":"refused","code":2'
	is "nothing refused is recorded" "$(grep -c refused "$state/history.jsonl")" 0
	net "rollback --json" --allow all
	is "exit code of a rollback" "$rc" 0
	record_says '"verb":"rollback".*"outcome":"deployed","code":0'
	net "history 2 --json"
	is "two lines" "$(printf '%s\n' "$out" | grep -c '^{.*}$')" 2
	is "the newest first" "$out" \
		"$(tail -n 2 "$state/history.jsonl" | tac |
			sed '1s/}$/,"target":"default","bad":false}/; 2s/}$/,"target":"default","bad":true}/')"
}

# The record is that of this request, not of the deploy that it recovered first.
test_memory_json_after_a_kill() {
	memory v1.0.0
	publish v1.0.1 delay=1500
	publish v1.0.2
	export TWILIGHT_HEALTH_TRIES=10 TWILIGHT_HEALTH_SLEEP=1
	begin "deploy v1.0.1 seq=5"
	await grep -q v1.0.1 "$engine/control"
	kill -KILL "$asked"
	wait "$asked" 2>/dev/null
	cp "$env" "$T/env"
	rm "$env"
	net "deploy v1.0.2 --json"
	is "exit code" "$rc" 5
	record_says '"tag":"v1.0.2".*"outcome":"unverified","code":5'
	cat "$T/env" >"$env"
	rm "$T/env"
	net "deploy v1.0.2 seq=4 --json"
	is "exit code" "$rc" 6
	record_says '"id":"".*"from":\{"tag":"","services":\[\]\},"to":\{"tag":"v1.0.2","services":\[\].*"tries":0'
	net "deploy v1.0.2 --json"
	is "exit code" "$rc" 0
	record_says '"tag":"v1.0.2".*"outcome":"deployed","code":0'
}

# A deploy that could not be reverted is unverified, not refused, and recovered later.
test_memory_json_of_what_stays_open() {
	memory v1.0.0
	publish v1.0.1
	fault '* slow=700 docker compose pull'
	begin "deploy v1.0.1 --json"
	await was_called "compose pull"
	mv "$env" "$home/.env.kept"
	mkdir "$env"
	finish
	is "exit code" "$rc" 5
	record_says '"tag":"v1.0.1".*"outcome":"unverified","code":5'
	rmdir "$env"
	mv "$home/.env.kept" "$env"
	fault
	op recover
	is "exit code of recover" "$rc" 1
	runs v1.0.0
}

# begin_open_end TAG: a deploy that lasts until its service becomes healthy or it is ended.
begin_open_end() { # TAG
	publish "$1" never
	export TWILIGHT_HEALTH_TRIES=1000 TWILIGHT_HEALTH_SLEEP=1
	begin "deploy $1"
	await grep -q "$1" "$engine/control"
}

# begin_to_wait TAG: `status --wait` in the background, as $waiting.
begin_to_wait() { # TAG
	SSH_ORIGINAL_COMMAND='status --wait' timeout -k 5 "${LIMIT:-60}" "$PROGRAM" \
		>"$T/wait" 2>"$T/wait.err" </dev/null &
	waiting=$!
	await grep -q "deploy of $1, phase " "$T/wait.err" || wrong "where it is" "phase" "nothing"
	has "who it is" "$(cat "$T/wait")" "deploy $1 by"
}

waits_for() { # TAG CODE
	wait "$waiting"
	is "exit code of the one who waits for $1" $? "$2"
	finish
	is "exit code of the deploy of $1" "$rc" "$2"
	has "how it ended" "$(cat "$T/wait")" "deploy $1: "
}

test_memory_wait() {
	memory v1.0.0
	begin_open_end v1.0.1
	begin_to_wait v1.0.1
	kill -TERM "$asked"
	waits_for v1.0.1 1
	net "status --wait"
	is "exit code where nothing runs" "$rc" 1
	has "the last one" "$out" "deploy v1.0.1: rolled back (1)"
	begin_open_end v1.0.2
	begin_to_wait v1.0.2
	SSH_ORIGINAL_COMMAND='status --wait --json' "$PROGRAM" >"$T/json" 2>"$T/json.err" </dev/null &
	json=$!
	await grep -q "deploy of v1.0.2, phase " "$T/json.err"
	behave healthy v1.0.2
	waits_for v1.0.2 0
	wait $json
	is "exit code with --json" $? 0
	out=$(cat "$T/json")
	record_says '"tag":"v1.0.2".*"outcome":"deployed","code":0'
}

# Another deploy follows at once: the answer is about the one that was followed.
test_memory_wait_while_others_follow() {
	memory v1.0.0
	publish v1.0.2 never
	begin_open_end v1.0.1
	begin_to_wait v1.0.1
	(
		export TWILIGHT_HEALTH_TRIES=1 TWILIGHT_HEALTH_SLEEP=0
		busy=3
		while [ $busy = 3 ]; do
			SSH_ORIGINAL_COMMAND="deploy v1.0.2" "$PROGRAM" >"$T/next" 2>&1 </dev/null
			busy=$?
		done
	) &
	next=$!
	behave healthy v1.0.1
	waits_for v1.0.1 0
	has "it was deployed" "$(cat "$T/wait")" "deploy v1.0.1: deployed (0)"
	wait $next
	runs v1.0.1
}

test_memory_wait_for_one_that_is_killed() {
	memory v1.0.0
	begin_open_end v1.0.1
	begin_to_wait v1.0.1
	await grep -q 'phase verify' "$T/wait.err"
	kill -KILL "$asked"
	wait "$asked" 2>/dev/null
	wait "$waiting"
	is "exit code" $? 5
	has "what is to be done" "$(cat "$T/wait.err")" "was interrupted (phase verify)"
}

# A deploy killed after its record was written, before its journal was cleared, has ended.
test_memory_wait_for_one_that_is_recorded() {
	memory v1.0.0
	publish v1.0.1 delay=1000
	export TWILIGHT_HEALTH_TRIES=9 TWILIGHT_HEALTH_SLEEP=1
	begin "deploy v1.0.1"
	await grep -q v1.0.1 "$engine/control"
	cp "$state/journal" "$T/journal"
	finish
	is "exit code of the deploy" "$rc" 0
	cp "$T/journal" "$state/journal"
	net "status --wait"
	is "exit code of the one who waits" "$rc" 0
	has "how it ended" "$out" "deploy v1.0.1: deployed (0)"
	net status
	matches "nothing is in flight" "$out" '^in flight: +none$'
	op recover
	is "exit code of recover" "$rc" 0
}

# Another process keeps the lock, and the client of `status --wait` has left.
test_wait_that_nobody_reads() {
	needs flock
	export TWILIGHT_LOCK="$T/lock"
	(flock 9 && exec sleep 600) 9>"$T/lock" &
	holder=$!
	await sh -c '! flock -n "$0" true' "$T/lock"
	mkfifo "$T/pipe"
	head -n 1 "$T/pipe" >"$T/first" &
	SSH_ORIGINAL_COMMAND='status --wait' "$PROGRAM" >"$T/pipe" 2>&1 </dev/null &
	waiting=$!
	await grep -q running "$T/first"
	await sh -c '! kill -0 "$0" 2>/dev/null' "$waiting" || wrong "the one who waits" "ended" "still there"
	kill "$waiting" "$holder" 2>/dev/null
}

# Another process has the lock, and there is no journal.
test_wait_without_a_journal() {
	needs flock
	export TWILIGHT_LOCK="$T/lock"
	deploy "$new"
	(flock 9 && exec sleep 600) 9>"$T/lock" &
	holder=$!
	await sh -c '! flock -n "$0" true' "$T/lock"
	begin "status --wait"
	await grep -q running "$T/out"
	kill "$holder"
	finish
	is "exit code" "$rc" 0
	lacks "a phase" "$all" "phase"
	has "the last one" "$out" "deploy $new: deployed (0)"
}

test_wait_for_nothing() {
	net "status --wait"
	is "exit code" "$rc" 0
	deploy "$new"
	net "status --wait"
	is "exit code after a deploy" "$rc" 0
	has "the last one" "$out" "deploy $new: deployed (0)"
}

# A runner executes `::` at the start of a line and `##[` anywhere.
test_memory_words_for_a_runner() {
	memory v1.0.0
	publish v1.0.1 never
	printf '%s\n' '::set-env name=PATH::/tmp' '  ::error::no' 'x ##[add-path]/tmp' >"$engine/logs"
	deploy v1.0.1
	is "exit code" "$rc" 1
	has "the lines are shown" "$err" "set-env name=PATH::/tmp"
	has "the other one too" "$err" "add-path"
	is "none begins with ::" "$(printf '%s\n' "$all" | grep -c '^[[:space:]]*::')" 0
	lacks "none has the old mark" "$all" '##['
}
