# health.sh: who counts as healthy.  The peer is never trusted.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# unhealthy WORD: the new version behaves so, the old one is well: back, with 1.
unhealthy() {
	memory v1.0.0
	publish v1.0.1 "$1"
	deploy v1.0.1
	is "exit code with $1" "$rc" 1
	matches "message with $1" "$err" "^HEALTH FAILED -- rolling back to v1.0.0\$"
	is "no control byte comes back from $1" \
		"$(printf '%s' "$all" | LC_ALL=C tr -d '[:print:]\n')" ""
	runs v1.0.0
}

test_peer_says_503() { unhealthy never; }
test_peer_closes() { unhealthy close; }
test_peer_ends_unanswered() { unhealthy empty; }
test_peer_talks_garbage() { unhealthy garbage; }
test_peer_sends_a_huge_header() { unhealthy header=102400; }

test_peer_floods() {
	export TWILIGHT_HEALTH_TRIES=1
	unhealthy flood
}

test_peer_trickles() {
	export TWILIGHT_HEALTH_TRIES=1
	unhealthy trickle
}

test_peer_hangs() {
	export TWILIGHT_HEALTH_TRIES=1
	unhealthy hang
}

# healthy_so WORD: and so it is healthy.
healthy_so() {
	behave "$1"
	deploy "$new"
	is "exit code with $1" "$rc" 0
	is ".env with $1" "$(version)" "$new"
}

test_peer_redirects() { healthy_so redirect; }
test_peer_is_slow() { healthy_so slow=700; }
test_peer_sends_a_large_header() { healthy_so header=4000; }

# Nothing listens at all: neither for the new version nor for the old one.
test_nobody_listens() {
	kill "$service_pid"
	wait "$service_pid" 2>/dev/null
	export TWILIGHT_HEALTH_TRIES=1
	deploy "$new"
	is "exit code" "$rc" 5
	is ".env" "$(version)" "$old"
}

# By name: the service is on 127.0.0.1 only, whatever localhost is first.
test_localhost() {
	TWILIGHT_HEALTH_URL=http://localhost:$port/healthz
	deploy "$new"
	is "exit code" "$rc" 0
}

test_ipv6() {
	kill "$service_pid"
	wait "$service_pid" 2>/dev/null
	rm "$T/port"
	"$SERVICE" --address ::1 --port 0 --port-file "$T/port" >"$T/service.log" 2>&1 &
	service_pid=$!
	await test -s "$T/port" || skip "no IPv6 here"
	read -r port <"$T/port"
	TWILIGHT_HEALTH_URL="http://[::1]:$port/healthz"
	deploy "$new"
	is "exit code" "$rc" 0
}

test_other_path() {
	TWILIGHT_HEALTH_URL=http://127.0.0.1:$port/nothing/here
	deploy "$new"
	is "a path that is not there" "$rc" 5
	TWILIGHT_HEALTH_URL=http://127.0.0.1:$port/
	deploy "$new"
	is "the root" "$rc" 0
	TWILIGHT_HEALTH_URL="http://127.0.0.1:$port/healthz?deep=1&x=%20"
	deploy "$new"
	is "with a query" "$rc" 0
}

# A token in the query is asked with and never shown: `finale` looks everywhere.
test_token_in_the_url_stays() {
	memory v1.0.0
	publish v1.0.1 never
	TWILIGHT_HEALTH_URL="http://127.0.0.1:$port/healthz?token=$secret"
	deploy v1.0.1
	is "exit code" "$rc" 1
	has "the URL without it" "$all" "http://127.0.0.1:$port/healthz: answered 503"
	net status
	is "exit code of status" "$rc" 0
}

test_bad_health_url() {
	remember
	for url in https://127.0.0.1:1/ ftp://127.0.0.1/ nonsense http:// http:///healthz \
		127.0.0.1:8081 http://127.0.0.1:99999/ http://127.0.0.1:x/ "http://127.0.0.1/a b" \
		"http://127.0.0.1/
x" "http://u:$secret@127.0.0.1/" "http://[::1/"; do
		TWILIGHT_HEALTH_URL=$url
		deploy "$new"
		is "exit code for [$url]" "$rc" 4
		no_change
	done
	TWILIGHT_HEALTH_URL=https://127.0.0.1/
	deploy "$new"
	has "https gets words of its own" "$all" https
}

# Slow to start: seen soon after it answers, not at the end of a long pause, at
# which it would be ended for its time.
test_window_is_used() {
	memory v1.0.0
	publish v1.0.1 delay=1500
	export TWILIGHT_HEALTH_TRIES=5 TWILIGHT_HEALTH_SLEEP=600
	deploy v1.0.1
	is "exit code" "$rc" 0
	has "in the first window" "$all" "healthy after 1 tries"
}

test_later_window() {
	memory v1.0.0
	publish v1.0.1 delay=1500
	export TWILIGHT_HEALTH_TRIES=50 TWILIGHT_HEALTH_SLEEP=1
	deploy v1.0.1
	is "exit code" "$rc" 0
	matches "not in the first window" "$all" "healthy after ([2-9]|[1-5][0-9]) tries"
}

# One good answer is not enough: it dies 300 ms after its start.
test_dies_after_answering() {
	memory v1.0.0
	publish v1.0.1 crash=300
	export TWILIGHT_HEALTH_SETTLE=1
	deploy v1.0.1
	is "exit code" "$rc" 1
	runs v1.0.0
}

# Known at once, not at the end of the budget.
test_crash_loop_ends_the_wait() {
	export TWILIGHT_HEALTH_TRIES=1000 TWILIGHT_HEALTH_SLEEP=2
	for word in crashloop exit; do
		memory v1.0.0
		publish v1.0.1 $word
		deploy v1.0.1
		is "exit code with $word" "$rc" 1
		runs v1.0.0
	done
}

# Somebody removes it while it is waited for.
test_container_goes() {
	memory v1.0.0
	publish v1.0.1 never
	export TWILIGHT_HEALTH_TRIES=30 TWILIGHT_HEALTH_SLEEP=2
	begin "deploy v1.0.1"
	await was_asked /events
	silently rm -f twilight-data-1
	finish
	is "exit code" "$rc" 1
	has "why" "$err" "  ! the container is gone"
	runs v1.0.0
}

# Another program answers on the port, the container itself is down.
test_answer_of_a_stranger() {
	memory v1.0.0
	publish v1.0.1 exit
	kill "$service_pid"
	rm "$T/port"
	mkdir "$T/stranger"
	(engine=$T/stranger && behave healthy stranger)
	engine=$T/stranger serve
	deploy v1.0.1
	is "exit code" "$rc" 1
	has "why" "$err" "the container has ended (exit 1)"
	runs v1.0.0
}

test_evidence() {
	memory v1.0.0
	publish v1.0.1 never
	printf 'a last word of the service\n' >"$engine/logs"
	deploy v1.0.1
	is "exit code" "$rc" 1
	has "the service's log" "$all" "a last word of the service"
	has "its last answer" "$all" 503
}

# What a service logs is not ours to send to a terminal, or to GitHub, as it is.
test_evidence_is_escaped() {
	memory v1.0.0
	publish v1.0.1 never
	printf '\033]0;title\007 \302\233 \r\n::set-output name=x::y\n' >"$engine/logs"
	deploy v1.0.1
	is "no control byte" "$(printf '%s' "$all" | LC_ALL=C tr -d '[:print:]\n')" ""
}
