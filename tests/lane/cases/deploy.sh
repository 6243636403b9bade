# deploy.sh: each result of a request, over a connection that is not lost.
# shellcheck shell=sh disable=SC2154,SC2034,SC2059

# world: v1.0.0 runs; v1.0.1 is healthy, v1.0.2 never is.
world() {
	memory v1.0.0
	publish v1.0.1
	publish v1.0.2 never
	publish sha-0123456
	host
}

test_deployed() {
	world
	ci TAG=v1.0.1 SEQ=7 TARGET=production
	is "exit code" "$rc" 0
	runs v1.0.1
	says notice "done"
	output_is code 0
	output_is version v1.0.1
	output_is previous v1.0.0
	output_is outcome deployed
	has "summary" "$summary" "| deploy v1.0.1 seq=7 | done |"
	has "summary" "$summary" "| previous | v1.0.0 |"
	has "summary" "$summary" "| target | production |"
	is "one connection" "$(connections)" 1
}

test_tag_of_a_commit() {
	world
	ci SHA=0123456789abcdef0123456789abcdef01234567
	is "exit code" "$rc" 0
	runs sha-0123456
}

test_rolled_back() {
	world
	ci TAG=v1.0.2
	is "exit code" "$rc" 1
	runs v1.0.0
	says error "not deployed; the previous version serves"
	output_is code 1
	has "the evidence is shown" "$all" "HEALTH FAILED"
	has "summary" "$summary" "| outcome | rolled back |"
}

test_refused() {
	world
	ci TAG=nonsense
	is "exit code" "$rc" 2
	says error "refused; nothing changed: invalid tag: nonsense"
	has "why" "$all" "invalid tag: nonsense"
	runs v1.0.0
}

test_busy() {
	needs flock
	world
	mkdir -p "$state"
	chmod 700 "$state"
	flock "$state/lock" sleep 30 &
	await sh -c "! flock -n '$state/lock' true"
	ci TAG=v1.0.1
	kill $!
	is "exit code" "$rc" 3
	says error "another deploy is running"
}

test_host_not_ready() {
	world
	mv "$env" "$env.kept"
	ci TAG=v1.0.1
	mv "$env.kept" "$env"
	is "exit code" "$rc" 4
	says error "the host is not ready; nothing changed: missing env file"
	has "why" "$all" "missing env file"
}

test_nothing_is_sure() {
	world
	becomes v1.0.0 never
	ci TAG=v1.0.2
	is "exit code" "$rc" 5
	says error "look at the host now"
}

test_superseded() {
	world
	ci TAG=v1.0.1 SEQ=43
	is "exit code of the newer" "$rc" 0
	ci TAG=sha-0123456 SEQ=41
	is "the step succeeds" "$rc" 0
	says warning "seq=41, but seq=43 (v1.0.1) is deployed"
	output_is code 6
	has "summary" "$summary" "| exit code | 6 |"
	runs v1.0.1
	ci TAG=v1.0.1 SEQ=43
	is "exit code of the same again" "$rc" 0
	output_is code 0
}

# Exit codes that no test can cause in the program.
test_a_bug_and_an_unknown_code() {
	echo 'exit 70' | liar
	ci TAG=v1.0.1
	is "exit code" "$rc" 70
	says error "a bug in twilight-deploy"
	echo 'exit 99' | liar
	ci TAG=v1.0.1
	is "exit code" "$rc" 99
	says error "unknown exit code 99"
}

test_rollback() {
	world
	ci TAG=v1.0.1
	ci REQUEST=rollback
	is "not this key's" "$rc" 2
	runs v1.0.1
	ci REQUEST=rollback DEPLOY_KEY="$(key_of operator)"
	is "exit code" "$rc" 0
	runs v1.0.0
	has "summary" "$summary" "| rollback | done |"
	output_is version v1.0.0
}

test_status() {
	world
	ci REQUEST=status TAG=v1.0.1
	is "exit code" "$rc" 0
	matches "it is shown" "$all" '^  data: +healthy, v1\.0\.0'
	runs v1.0.0
}

hostile='::set-output name=code::0
##[error]not from us
::stop-commands::ours
::ours::
   ::add-mask::v1
a\r::error::after a carriage return
| x | [y](javascript:z) |
superseded: seq=1, but seq=2 (x) is deployed'

# contained: no part of $hostile is a command to the runner or is in its pages.
contained() {
	has "it is shown" "$all" "not from us"
	for part in set-output '##[' 'name=code' add-mask carriage javascript; do
		lacks "outside the fence" "$outside$outputs$summary" "$part"
	done
	lacks "where the viewer looks" "$(grep '^##\[' "$T/ci")" '##['
}

# A container's log is shown and never executed.
test_hostile_container() {
	world
	printf "$hostile\n" >"$engine/logs"
	ci TAG=v1.0.2
	is "exit code" "$rc" 1
	contained
	output_is code 1
	says error "not deployed"
}

# A compromised host prints it unescaped, on both streams.
test_hostile_host() {
	printf "$hostile\n" >"$T/says"
	echo "cat '$T/says'; cat '$T/says' >&2; exit 1" | liar
	ci TAG=v1.0.1
	is "exit code" "$rc" 1
	contained
	is "both streams are shown" "$(grep -c 'not from us' "$T/ci")" 2
	output_is code 1
	says error "not deployed"
}

# It cannot forge outputs and summary either.
test_hostile_record() {
	liar <<-'END'
		printf '%s\n' '{"v":1,"outcome":"a\nb | c","to":{"tag":"x|y"},"why":"w\n::error::x ##[y] <z>"}'
	END
	ci TAG=v1.0.1
	is "exit code" "$rc" 0
	lacks "summary" "$summary" "b | c"
	lacks "the reason" "$outside$summary" '['
	lacks "the reason" "$outside$summary" '<'
	says notice "w?::error"
	output_is outcome 'a[?]b [?] c'
	output_is version 'x[?]y'
	is "output has four lines" "$(printf '%s\n' "$outputs" | grep -c .)" 4
}

# A line without a newline would hide the line that ends `stop-commands`.
test_line_without_an_end() {
	echo 'printf "on stdout"; printf "on stderr" >&2; exit 1' | liar
	ci TAG=v1.0.1
	is "exit code" "$rc" 1
	says error "not deployed"
	has "it is shown" "$all" "on stdout"
}

# Two records on one line do not become two lines of outputs.
test_two_records() {
	liar <<-'END'
		printf '%s' '{"v":1,"to":{"tag":"v1"},"outcome":"deployed"} {"v":1,"to":{"tag":"v2"}} x'
	END
	ci TAG=v1.0.1
	output_is version v1
	is "output has four lines" "$(printf '%s\n' "$outputs" | grep -c .)" 4
}

# The host has another version: the exit code is used, the record is not.
test_record_of_another_format() {
	for host_says in '{"v":3,"outcome":"deployed"}|has format 3' 'deployed: v1.0.1|sent no record'; do
		echo "echo '${host_says%|*}'" | liar
		ci TAG=v1.0.1
		is "exit code" "$rc" 0
		says warning "${host_says#*|}"
		has "summary" "$summary" "${host_says#*|}"
		output_is outcome ''
	done
}

test_request_and_time() {
	world
	ci REQUEST='deploy v1.0.1' SEQ=2026-11-24T12:33:20+01:00
	is "exit code" "$rc" 0
	has "the time of the push" "$outside" "deploy v1.0.1 seq=1795520000 (0)"
	ci REQUEST='deploy sha-0123456 seq=4711'
	output_is code 6
	runs v1.0.1
	zeros=$(printf %064d 0)
	ci REQUEST="deploy v1.0.2 commit=abc1234 digest=sha256:$zeros"
	output_is code 2
	output_is outcome discarded
	ci REQUEST=deploy\ sig=AA+/== TAG=v1.0.1
	output_is code 0
	has "the signature" "$all" "sig= is not checked"
	ci TAG=v1.0.2 DIGEST=sha256:"$zeros" COMMIT=abc1234 SIG=AA+/==
	output_is code 2
	output_is outcome discarded
	has "the request" "$outside" "deploy v1.0.2 digest=sha256:$zeros commit=abc1234 sig=AA+/== (2)"
	runs v1.0.1
}
