# health.sh: answers of the health URL and lines of a log, as a terminal shows them.  Who counts
# as healthy: tests/scenarios/gate.table, tests/unit/lies.c.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# By name: the service is on 127.0.0.1 only, whatever localhost is first.
test_localhost() {
	TWILIGHT_HEALTH_URL=http://localhost:$port/healthz
	deploy "$new"
	is "exit code" "$rc" 0
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

# What a service logs is not ours to send to a terminal, or to GitHub, as it is.
test_evidence_is_escaped() {
	memory v1.0.0
	publish v1.0.1 never
	printf '\033]0;title\007 \302\233 \r\n::set-output name=x::y\n' >"$engine/logs"
	deploy v1.0.1
	is "no control byte" "$(printf '%s' "$all" | LC_ALL=C tr -d '[:print:]\n')" ""
}

# lie SHOWN FORMAT: the new version answers FORMAT (printf's); the output contains SHOWN.
lie() {
	# shellcheck disable=SC2059 # it is a format
	printf "$2" >"$engine/control.bytes"
	becomes v1.0.1 bytes
	deploy v1.0.1
	is "exit code of [$2]" "$rc" 1
	has "what is shown of [$2]" "$all" "$1"
	is "no control byte of [$2]" "$(printf '%s' "$all" | LC_ALL=C tr -d '[:print:]\n')" ""
	lacks "no line of the peer's own in [$2]" "$all" '
::'
	runs v1.0.0
}

test_lies() {
	memory v1.0.0
	publish v1.0.1 bytes
	export TWILIGHT_HEALTH_TRIES=1
	# values of .env are masked
	lie 'answered 503: login as ******* failed' \
		"HTTP/1.1 503 No\r\n\r\nlogin as $secret failed\n"
	lie 'not HTTP: *******, *****' "$secret, ${secret%??}"
	lie 'not HTTP: \033]0;root\a\2332J' '\033]0;root\007\2332J\r\n'
	lie 'not HTTP: \342\200\256KO' '\342\200\256KO\n'
	lie 'not HTTP: \0\0\0' '\000\000\000\r\n'
	lie 'hold a control byte' 'HTTP/1.1 200 \033[2J\r\n\r\n'
	lie 'not one number' 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok'
	lie 'speaks TLS' '\025\003\001\000\002\002\106'
	lie 'answered 503: \033[2J\r\033]8;;http://x\a\0' \
		'HTTP/1.1 503 No\r\n\r\n\033[2J\r\033]8;;http://x\007\000\n'
	lie 'answered 503: a\n::set-output name=x::y' \
		'HTTP/1.1 503 No\r\n\r\na\n::set-output name=x::y\n'
}
