# crash.sh: killed in the middle by SIGKILL, then mended.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# die_at WORDS REQUEST: the program is killed while docker hangs in that call.
die_at() {
	export MOCK_DOCKER_HANG="$1"
	begin "$2"
	await was_called "$1" || wrong "before the kill" "docker $1" "$(cat "$log")"
	sleep 0.1
	kill -KILL "$asked"
	wait "$asked" 2>/dev/null
	is ".env is whole" "$(sed "s/=\($3\|$4\)\$/=OK/" "$env")" "TWILIGHT_VERSION=OK
SECRET=$secret"
	unset MOCK_DOCKER_HANG
	export TWILIGHT_UP_LIMIT=1 TWILIGHT_PULL_LIMIT=1
	: >"$log"
}

mended() {
	is "no journal is left" "$(ls "$state/journal" 2>/dev/null)" ""
	is ".env is whole" "$(grep -c . "$env")" 2
	op recover
	is "there is nothing more to mend" "$rc" 0
}

test_killed_in_the_pull() {
	die_at "compose pull" "deploy $new" "$old" "$new"
	is ".env" "$(version)" "$old"
	op recover
	is "exit code" "$rc" 1
	is ".env" "$(version)" "$old"
	is "no up" "$(calls 'compose up')" 0
	mended
}

# The silent mock tells nothing, so from the swap on it is rolled back.
test_killed_in_the_up() {
	die_at "compose up" "deploy $new" "$old" "$new"
	op recover
	is "exit code" "$rc" 1
	is ".env" "$(version)" "$old"
	mended
}

test_killed_in_the_up_then_unhealthy() {
	die_at "compose up" "deploy $new" "$old" "$new"
	behave never
	op recover
	is "exit code" "$rc" 5
	is ".env" "$(version)" "$old"
	mended
}

# The next deploy mends first, then goes on.
test_killed_then_deployed() {
	die_at "compose up" "deploy $new" "$old" "$new"
	deploy v2.0.0
	is "exit code" "$rc" 0
	is ".env" "$(version)" v2.0.0
	mended
}

test_memory_killed_in_the_pull() {
	memory v1.0.0
	publish v1.0.1
	die_at "compose pull" "deploy v1.0.1" v1.0.0 v1.0.1
	op recover
	is "exit code" "$rc" 1
	runs v1.0.0
	mended
}

test_memory_killed_before_the_up() {
	memory v1.0.0
	publish v1.0.1
	die_at "compose up" "deploy v1.0.1" v1.0.0 v1.0.1
	op recover
	matches "exit code" "$rc" '^(0|1)$'
	matches "what runs is what .env says" "$(serving)" "^$repository:$(version) .* running\$"
	mended
}

# mended_beside LINE: the service depends on db, of which docker knows that LINE.
mended_beside() {
	memory v1.0.0
	publish v1.0.1
	mkdir "$T/bin"
	cat >"$T/bin/docker" <<-END
		#!/bin/sh
		case \$* in
		"compose config "*)
			"$MOCKS/docker" "\$@" | sed 's/"command": null,/& "depends_on": {"db": {}},/'
			;;
		*) exec "$MOCKS/docker" "\$@" ;;
		esac
	END
	chmod 755 "$T/bin/docker"
	PATH=$T/bin:$PATH
	printf '%s' "$1" >>"$engine/containers"
	die_at "compose up" "deploy v1.0.1" v1.0.0 v1.0.1
	op recover
	ups=$(grep '^docker compose up' "$log")
	has "up" "$ups" "docker compose up -d data"
}

# After a boot what the service depends on may be down; else it is left alone.
test_memory_mended_where_what_it_needs_is_down() {
	mended_beside ''
	lacks "it is started too" "$ups" --no-deps
}

test_memory_mended_where_what_it_needs_runs() {
	mended_beside "feed twilight-db-1 $(image_of db) other/db:v1 running healthy 2026-01-01T00:00:00.000000000Z 0
"
	has "it is left alone" "$ups" --no-deps
}

# `up` is through, the program waits for health: the new version is completed.
test_memory_killed_while_waiting() {
	memory v1.0.0
	publish v1.0.1 delay=3000
	export TWILIGHT_HEALTH_TRIES=10 TWILIGHT_HEALTH_SLEEP=1
	begin "deploy v1.0.1"
	await grep -q v1.0.1 "$engine/control"
	sleep 0.3
	kill -KILL "$asked"
	wait "$asked" 2>/dev/null
	op recover
	is "exit code" "$rc" 0
	runs v1.0.1
	mended
}

test_memory_killed_while_waiting_for_a_bad_one() {
	memory v1.0.0
	publish v1.0.1 never
	export TWILIGHT_HEALTH_TRIES=3 TWILIGHT_HEALTH_SLEEP=1
	begin "deploy v1.0.1"
	await grep -q never "$engine/control"
	sleep 0.3
	kill -KILL "$asked"
	wait "$asked" 2>/dev/null
	op recover
	is "exit code" "$rc" 1
	runs v1.0.0
	mended
}

# An `up` does not die with the program: it runs to its end, the next run waits for it.
test_memory_killed_in_a_slow_up() {
	memory v1.0.0
	publish v1.0.1
	export MOCK_DOCKER_SLOW="compose up"
	begin "deploy v1.0.1"
	await was_called "compose up"
	sleep 0.1
	kill -KILL "$asked"
	wait "$asked" 2>/dev/null
	unset MOCK_DOCKER_SLOW
	op recover
	is "exit code" "$rc" 0
	runs v1.0.1
	is "one up in all" "$(calls 'compose up')" 1
	mended
}

# A pull of a killed program is ended, not waited for.
test_memory_killed_in_a_slow_pull() {
	memory v1.0.0
	publish v1.0.1
	export MOCK_DOCKER_HANG="compose pull"
	begin "deploy v1.0.1"
	await was_called "compose pull"
	sleep 0.1
	kill -KILL "$asked"
	wait "$asked" 2>/dev/null
	unset MOCK_DOCKER_HANG
	deploy v1.0.1
	is "exit code" "$rc" 0
	still_hangs "$(tail -n 1 "$log.hanging")" && wrong "the pull" "ended" "still there"
	runs v1.0.1
	mended
}

# A person wrote a third value meanwhile: nobody overrules that.
test_memory_killed_then_edited() {
	memory v1.0.0
	publish v1.0.1
	die_at "compose up" "deploy v1.0.1" v1.0.0 v1.0.1
	sed 's/^TWILIGHT_VERSION=.*/TWILIGHT_VERSION=v7.7.7/' "$env" >"$T/env"
	cat "$T/env" >"$env"
	rm "$T/env"
	op recover
	is ".env" "$(version)" v7.7.7
	is "nothing is started" "$(calls 'compose up')" 0
	has "it is recorded" "$(cat "$state/history.jsonl")" abandoned
	mended
}

# Docker is away: the journal stays, and the request is not run.
test_memory_killed_then_no_docker() {
	memory v1.0.0
	publish v1.0.1
	die_at "compose up" "deploy v1.0.1" v1.0.0 v1.0.1
	export MOCK_DOCKER_FAIL=ps
	deploy v1.0.1
	is "exit code" "$rc" 4
	[ -e "$state/journal" ] || wrong "the journal" "stays" "gone"
	unset MOCK_DOCKER_FAIL
	op recover
	matches "afterwards" "$rc" '^(0|1)$'
	mended
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
