# crash.sh: killed in the middle by SIGKILL, then recovered.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# die_at WORDS REQUEST OLD NEW: the program is killed while docker hangs in that call.
# What hangs goes too, unless ORPHAN is set: then the next run has to end it.
die_at() {
	fault "* hang docker $1"
	begin "$2"
	await test -s "$engine/hanging" || wrong "before the kill" "docker $1" "$(cat "$log")"
	die
	is ".env is whole" "$(sed "s/=\($3\|$4\)\$/=OK/" "$env")" "TWILIGHT_VERSION=OK
SECRET=$secret"
	[ -n "${ORPHAN-}" ] || kill "$(cat "$engine/hanging")"
	fault
}

die() {
	kill -KILL "$asked"
	wait "$asked" 2>/dev/null
}

# A blind engine, whose docker is the fake one all the same.
blind_memory() {
	memory
	publish "$new"
	publish v2.0.0
	export TWILIGHT_ENGINE=blind
	behave healthy
}

recovered() {
	is "no journal is left" "$(ls "$state/journal" 2>/dev/null)" ""
	is ".env is whole" "$(grep -c . "$env")" 2
	op recover
	is "there is nothing more to recover" "$rc" 0
}

test_killed_in_the_pull() {
	blind_memory
	die_at "compose pull" "deploy $new" "$old" "$new"
	is ".env" "$(version)" "$old"
	op recover
	is "exit code" "$rc" 1
	is ".env" "$(version)" "$old"
	is "no up" "$(calls 'compose up')" 0
	recovered
}

# A blind engine tells nothing, so from the swap on it is rolled back; and the `up` that
# still hangs is ended at its limit.
test_killed_in_the_up() {
	blind_memory
	ORPHAN=1
	die_at "compose up" "deploy $new" "$old" "$new"
	export TWILIGHT_UP_LIMIT=1
	behave healthy
	op recover
	is "exit code" "$rc" 1
	is ".env" "$(version)" "$old"
	nothing_hangs "the up"
	recovered
}

test_killed_in_the_up_then_unhealthy() {
	blind_memory
	die_at "compose up" "deploy $new" "$old" "$new"
	TWILIGHT_HEALTH_URL=http://127.0.0.1:$port/nothing/here
	op recover
	is "exit code" "$rc" 5
	is ".env" "$(version)" "$old"
	recovered
}

# The next deploy recovers first, then goes on.
test_killed_then_deployed() {
	blind_memory
	die_at "compose up" "deploy $new" "$old" "$new"
	deploy v2.0.0
	is "exit code" "$rc" 0
	is ".env" "$(version)" v2.0.0
	recovered
}

test_memory_killed_in_the_pull() {
	memory v1.0.0
	publish v1.0.1
	die_at "compose pull" "deploy v1.0.1" v1.0.0 v1.0.1
	op recover
	is "exit code" "$rc" 1
	runs v1.0.0
	recovered
}

test_memory_killed_before_the_up() {
	memory v1.0.0
	publish v1.0.1
	die_at "compose up" "deploy v1.0.1" v1.0.0 v1.0.1
	op recover
	matches "exit code" "$rc" '^(0|1)$'
	matches "what runs is what .env says" "$(serving)" "^$repository:$(version) .* running\$"
	recovered
}

# recovered_beside WORD: the service depends on db, whose container does that.
recovered_beside() {
	memory v1.0.0
	publish v1.0.1
	printf '{"data": {"image": "%s:%%t", "depends_on": {"db": {}}}, "db": {"image": "other/db:v1"}}\n' \
		"$repository" >"$engine/services"
	printf 'other/db:v1 %s\n' "$(image_of db)" >>"$engine/images"
	printf 'feed twilight-db-1 %s other/db:v1 running %s 2026-01-01T00:00:00.000000000Z 0\n' \
		"$(image_of db)" "$1" >>"$engine/containers"
	die_at "compose up" "deploy v1.0.1" v1.0.0 v1.0.1
	op recover
	ups=$(grep '^docker compose up' "$log")
	has "up" "$ups" "docker compose up -d data"
}

# After a boot what the service depends on may be down; else it is left alone.
test_memory_recovered_where_what_it_needs_is_down() {
	recovered_beside exit
	lacks "it is started too" "$ups" --no-deps
}

test_memory_recovered_where_what_it_needs_runs() {
	recovered_beside healthy
	has "it is left alone" "$ups" --no-deps
}

# `up` is through, the program waits for health: the new version is completed.
test_memory_killed_while_waiting() {
	memory v1.0.0
	publish v1.0.1 delay=1000
	export TWILIGHT_HEALTH_TRIES=10 TWILIGHT_HEALTH_SLEEP=1
	begin "deploy v1.0.1"
	await was_asked /events
	die
	op recover
	is "exit code" "$rc" 0
	runs v1.0.1
	recovered
}

test_memory_killed_while_waiting_for_a_bad_one() {
	memory v1.0.0
	publish v1.0.1 never
	export TWILIGHT_HEALTH_TRIES=3 TWILIGHT_HEALTH_SLEEP=1
	begin "deploy v1.0.1"
	await was_asked /events
	die
	TWILIGHT_HEALTH_SLEEP=0
	op recover
	is "exit code" "$rc" 1
	runs v1.0.0
	recovered
}

# An `up` does not die with the program: it runs to its end, the next run waits for it.
test_memory_killed_in_a_slow_up() {
	memory v1.0.0
	publish v1.0.1
	fault '* slow=1000 docker compose up'
	begin "deploy v1.0.1"
	await was_called "compose up"
	die
	op recover
	is "exit code" "$rc" 0
	runs v1.0.1
	is "one up in all" "$(calls 'compose up')" 1
	recovered
}

# A pull of a killed program is ended, not waited for.
test_memory_killed_in_a_pull_that_hangs() {
	memory v1.0.0
	publish v1.0.1
	ORPHAN=1
	die_at "compose pull" "deploy v1.0.1" v1.0.0 v1.0.1
	deploy v1.0.1
	is "exit code" "$rc" 0
	nothing_hangs "the pull"
	runs v1.0.1
	recovered
}

# A person wrote a third value meanwhile: nobody overrules that.
test_memory_killed_then_edited() {
	memory v1.0.0
	publish v1.0.1
	die_at "compose up" "deploy v1.0.1" v1.0.0 v1.0.1
	edit_env v7.7.7
	op recover
	is ".env" "$(version)" v7.7.7
	is "nothing is started" "$(calls 'compose up')" 0
	has "it is recorded" "$(cat "$state/history.jsonl")" abandoned
	recovered
}

# The engine cannot be asked: the journal stays, and the request is not run.  The code
# says that .env is changed.
test_memory_killed_then_no_docker() {
	memory v1.0.0
	publish v1.0.1
	die_at "compose up" "deploy v1.0.1" v1.0.0 v1.0.1
	fault '* 500 GET /containers/json'
	export TWILIGHT_CALL_LIMIT=1
	deploy v1.0.1
	is "exit code" "$rc" 5
	[ -e "$state/journal" ] || wrong "the journal" "stays" "gone"
	fault
	op recover
	matches "afterwards" "$rc" '^(0|1)$'
	recovered
}

test_unreadable_journal() {
	deploy "$new"
	for text in '' 'garbage' '{' '{"version":99}'; do
		printf '%s' "$text" >"$state/journal"
		chmod 600 "$state/journal"
		remember
		: >"$log"
		deploy v3.0.0
		is "exit code for [$text]" "$rc" 4
		no_change
		[ -e "$state/journal" ] || wrong "the journal for [$text]" "stays" "gone"
	done
}

# Left by a kill between the temporary file and the rename.
test_stale_temporary_file() {
	deploy "$new"
	printf 'SECRET=%s\n' "$secret" >"$home/.env.twilight-deploy.0123456789abcdef"
	deploy v2.0.0
	is "exit code" "$rc" 0
	is "it is gone" "$(find "$home" -name '.env.twilight*')" ""
}
