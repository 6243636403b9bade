# request.sh: the grammar of requests, and who may use which verb.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC1003

newline='
'
escape=$(printf '\033')

# refused REQUEST MESSAGE: it is refused with 2 and that message, and changes nothing.
refused() {
	: >"$log"
	remember
	net "$1"
	is "exit code for [$1]" "$rc" 2
	matches "message for [$1]" "$all" "^[^:]*:? ?$2: "
	is "docker is not called for [$1]" "$(cat "$log")" ""
	is "nothing is changed by [$1]" "$(picture)" "$before"
	is "nothing is made in the home by [$1]" "$(ls -A "$home")" ".env${newline}source"
	is "no control byte comes back for [$1]" \
		"$(printf '%s' "$all" | LC_ALL=C tr -d '[:print:]\n')" ""
}

# tests/unit/check_tag.c and check_request.c have all cases.
test_invalid_tags() {
	for tag in not-a-tag ../latest 'sha-abc1234;reboot' '$(reboot)' 'latest>x' \
		'evil/image:latest' '%s%n%x'; do
		refused "deploy $tag" "invalid tag"
	done
}

test_no_tag() {
	refused "deploy" "invalid tag"
	refused "" "invalid tag"
}

# An empty request: the smoke test of the runbook.
test_no_request_at_all() {
	remember
	op
	is "exit code" "$rc" 2
	has "message" "$all" "invalid tag: "
	is "nothing is made in the home" "$(ls -A "$home")" ".env${newline}source"
}

test_invalid_requests() {
	for request in " " "rm -rf / latest" "deploy  latest" "deploy latest main" "deploy latest${newline}deploy main" \
		"deploy lat${escape}est" "deploy latest$(printf '\377')" "DEPLOY latest" "sh -c id" \
		"--local deploy latest" "status; id" "TWILIGHT_HOME=/tmp deploy latest"; do
		refused "$request" "invalid (request|tag)"
	done
}

test_too_long() {
	a64=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
	refused "deploy $(head -c 1024 /dev/zero | tr '\0' a)" "invalid request"
	refused "deploy $a64$a64$a64" "invalid (tag|request)"
	refused "$(head -c 100000 /dev/zero | tr '\0' a)" "invalid request"
	below "what is echoed is cut" "${#all}" 1000
}

test_valid_tags() {
	for tag in sha-abc1234 sha-0000000 latest main v1.2.3 v0.0.0 v10.20.30; do
		deploy "$tag"
		is "exit code for $tag" "$rc" 0
		is ".env after $tag" "$(version)" "$tag"
	done
}

test_own_pattern() {
	export TWILIGHT_TAG_PATTERN='[0-9a-f]{40}'
	deploy 0123456789abcdef0123456789abcdef01234567
	is "forty digits" "$rc" 0
	deploy "$new"
	is "what the default allowed" "$rc" 2
	has "message" "$all" "invalid tag: "
}

test_bad_pattern() {
	export TWILIGHT_TAG_PATTERN='v['
	remember
	deploy v1.2.3
	is "exit code" "$rc" 4
	no_change
	net status
	is "exit code of status, before any deploy" "$rc" 4
}

test_words_beside_a_request() {
	remember
	net "status" status
	is "exit code" "$rc" 2
	has "it says what to type" "$all" "--local"
	net "deploy $new" deploy main
	is "exit code of a deploy" "$rc" 2
	no_change
}

test_local_words() {
	net "ignored; rm -rf /" --local status
	is "exit code" "$rc" 0
	has "the version" "$all" "$old"
}

test_network_may_not_roll_back() {
	memory v1.0.0
	remember
	for request in "rollback" "rollback v1.0.0" recover "freeze it moves" unfreeze; do
		net "$request"
		is "exit code of $request" "$rc" 2
		lacks "it is a matter of rights, not of words: $request" "$all" "invalid tag"
	done
	no_change
}

# --allow replaces the default list of verbs.
test_allow() {
	net "deploy $new" --allow status
	is "deploy is not in the list" "$rc" 2
	is ".env" "$(version)" "$old"
	net status --allow status
	is "status is" "$rc" 0
	net version --allow status
	is "version always is" "$rc" 0
	net help --allow status
	is "help always is" "$rc" 0
	net "deploy $new" --allow status,deploy
	is "two words" "$rc" 0
}

test_allow_all() {
	memory v1.0.0
	publish v1.0.1
	net "deploy v1.0.1" --allow all
	is "deploy" "$rc" 0
	net rollback --allow all
	is "rollback" "$rc" 0
	runs v1.0.0
}

test_allow_of_a_wrong_verb() {
	remember
	net status --allow status,nonsense
	is "exit code" "$rc" 2
	has "it is named" "$all" "nonsense"
	no_change
}

test_version_and_help() {
	net version
	is "version" "$rc" 0
	matches "a number" "$out" '[0-9]+\.[0-9]+'
	net help
	is "help" "$rc" 0
	has "the verbs" "$out" deploy
	net "deploy --help"
	is "help of a verb" "$rc" 0
	has "its usage" "$out" "usage: deploy TAG"
	net "help reboot"
	is "help of what is no topic" "$rc" 2
	has "which topic" "$err" "reboot"
	op --version
	is "--version" "$rc" 0
	op --help
	is "--help" "$rc" 0
	is "nothing is made in the home" "$(ls -A "$home")" ".env${newline}source"
	is "docker is not called" "$(cat "$log")" ""
}
