# deploy.sh: the founding contract, with the silent stub as docker.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

test_swap() {
	deploy "$new"
	is "exit code" "$rc" 0
	is ".env" "$(version)" "$new"
	has "what it can go back to" "$out" "rollback target: $old"
	has "what it does" "$out" "deploying:       $new"
}

test_compose_calls() {
	deploy "$new"
	is "exit code" "$rc" 0
	is "one pull" "$(grep -c '^docker compose pull data --policy always$' "$log")" 1
	is "one up" "$(calls 'compose up -d data')" 1
	is "one prune" "$(grep -c '^docker image prune -f --filter until=168h$' "$log")" 1
	is "in this order" "$(sed -n -e 's/^docker compose \(pull\|up\) .*/\1/p' \
		-e 's/^docker image \(prune\) .*/\1/p' "$log" | tr '\n' ' ')" "pull up prune "
}

test_other_service() {
	export TWILIGHT_SERVICE=api
	deploy "$new"
	is "exit code" "$rc" 0
	is "one pull" "$(calls 'compose pull api ')" 1
	is "one up" "$(calls 'compose up -d api')" 1
	is "none of data" "$(grep -c ' data' "$log")" 0
}

# The pull comes first: when it fails the home was never touched.
test_pull_failure() {
	export MOCK_DOCKER_PULL_FAIL=1
	inode=$(stat -c %i "$env")
	remember
	deploy "$new"
	is "exit code" "$rc" 1
	is "it was tried" "$(calls 'compose pull data')" 1
	is "up was not" "$(calls 'compose up')" 0
	is ".env is as before" "$(picture)" "$before"
	is ".env was not even replaced" "$(stat -c %i "$env")" "$inode"
}

test_healthy_at_once() {
	deploy "$new"
	is "exit code" "$rc" 0
	has "message" "$all" "healthy after 1 tries"
}

test_healthy_in_the_end() {
	export TWILIGHT_HEALTH_TRIES=5
	behave after=3
	deploy "$new"
	is "exit code" "$rc" 0
	has "message" "$all" "healthy after 3 tries"
	is "one up" "$(calls 'compose up')" 1
}

# Here the previous version answers again: that is 1.
test_unhealthy_then_rolled_back() {
	behave after=4
	export TWILIGHT_HEALTH_TRIES=3
	deploy "$new"
	is "exit code" "$rc" 1
	has "message" "$all" "HEALTH FAILED -- rolling back to $old"
	is ".env is restored" "$(version)" "$old"
	is "two up in all" "$(calls 'compose up -d data')" 2
}

# The service is not at fault: the disk refuses the journal once `up` has worked.
test_memory_journal_refused_after_up() {
	memory
	publish "$new"
	mkdir "$T/bin"
	cat >"$T/bin/docker" <<-END
		#!/bin/sh
		"$FAKE/mocks/docker" "\$@" || exit
		case "\$*" in
		*" up "*) [ -d "$state/journal" ] || { rm "$state/journal" && mkdir "$state/journal"; } ;;
		esac
	END
	chmod +x "$T/bin/docker"
	PATH="$T/bin:$PATH" deploy "$new"
	is "exit code" "$rc" 1
	has "message" "$all" "JOURNAL FAILED -- rolling back to $old"
	has "why" "$all" "cannot write the journal"
	runs "$old"
	rmdir "$state/journal"
}

# --- one at a time --------------------------------------------------------------

# hold LOCK: another process holds it by flock(1) until the case ends.
hold() {
	needs flock
	[ -d "$(dirname "$1")" ] || mkdir -m 700 "$(dirname "$1")"
	(
		exec 9>>"$1"
		flock 9
		: >"$T/held"
		exec sleep 30
	) &
	holder=$!
	await test -e "$T/held"
}

release() {
	kill "$holder"
	wait "$holder" 2>/dev/null
}

busy() {
	remember
	deploy "$new"
	is "exit code" "$rc" 3
	has "message" "$all" "deploy already running"
	no_change
	is "docker moves nothing" "$(grep -c -e pull -e ' up ' -e ' rm ' -e ' tag ' "$log")" 0
}

test_concurrent_deploy() {
	hold "$state/lock"
	busy
	release
	deploy "$new"
	is "afterwards" "$rc" 0
}

test_concurrent_deploy_other_lock() {
	TWILIGHT_LOCK=$T/lock
	export TWILIGHT_LOCK
	hold "$TWILIGHT_LOCK"
	busy
	release
	deploy "$new"
	is "afterwards" "$rc" 0
	[ -e "$TWILIGHT_LOCK" ] || wrong "the lock file" "stays" "gone"
}

# Verbs that read take no lock.
test_status_while_locked() {
	hold "$state/lock"
	for verb in status history version help; do
		net $verb
		is "exit code of $verb" "$rc" 0
	done
	release
}
