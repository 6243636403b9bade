# deploy.sh: each way that a request can end, over a connection that holds.
# shellcheck shell=sh disable=SC2154,SC2034

# world: v1.0.0 runs; v1.0.1 can be had and is well, v1.0.2 never is.
world() {
	memory v1.0.0
	publish v1.0.1
	publish v1.0.2 never
	publish sha-0123456
	host "$@"
}

test_deployed() {
	world
	ci TAG=v1.0.1 SEQ=7 TARGET=production
	is "exit code" "$rc" 0
	runs v1.0.1
	says notice "done"
	output_is code 0
	output_is tag v1.0.1
	output_is from v1.0.0
	output_is outcome deployed
	has "summary" "$summary" "| deploy v1.0.1 seq=7 | done |"
	has "summary" "$summary" "| from | v1.0.0 |"
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
	says error "refused; nothing was changed"
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
	says error "the host is not ready"
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
	world LANE_EXIT=6 "LANE_SAYS=twilight-deploy: superseded: seq=41, but seq=43 (sha-0123456) is deployed"
	ci TAG=v1.0.1 SEQ=41
	is "the step succeeds" "$rc" 0
	says warning "seq=41 was asked for, seq=43 is deployed"
	output_is code 6
	has "summary" "$summary" "| exit code | 6 |"
}

# With the program's own word for it, once it has one.
test_superseded_for_real() {
	[ -z "$LANE_OLD" ] || skip "the program has no seq yet"
	world
	ci TAG=v1.0.1 SEQ=43
	is "exit code of the newer" "$rc" 0
	ci TAG=sha-0123456 SEQ=41
	is "the step succeeds" "$rc" 0
	says warning "seq=41 was asked for, seq=43 is deployed"
	output_is code 6
	runs v1.0.1
	ci TAG=v1.0.1 SEQ=43
	is "exit code of the same again" "$rc" 0
	output_is code 0
}

test_a_bug_and_an_unknown_code() {
	world LANE_EXIT=70
	ci TAG=v1.0.1
	is "exit code" "$rc" 70
	says error "a bug in twilight-deploy"
	host LANE_EXIT=99
	ci TAG=v1.0.1
	is "exit code" "$rc" 99
	says error "unknown exit code 99"
}

test_rollback() {
	world
	ci TAG=v1.0.1
	ci ACTION=rollback
	is "not this key's" "$rc" 2
	runs v1.0.1
	ci ACTION=rollback ECS_SSH_PRIVATE_KEY="$(key_of operator)"
	is "exit code" "$rc" 0
	runs v1.0.0
	has "summary" "$summary" "| rollback | done |"
	output_is tag v1.0.0
}

test_status() {
	world
	ci ACTION=status TAG=v1.0.1
	is "exit code" "$rc" 0
	matches "it is shown" "$all" '^  runs: +v1\.0\.0 '
	runs v1.0.0
}

# What a container says is evidence, and never a command to the runner.
test_hostile_lines() {
	world
	{
		echo '::set-output name=code::0'
		echo '##[error]not from us'
		echo '::stop-commands::ours'
		echo '::ours::'
		echo '::add-mask::v1'
		printf 'a\r::error::after a carriage return\n'
		printf '%s\n' '| x | [y](javascript:z) |' 'deploying:       v1.0.2' 'superseded: seq=1, but seq=2 (x) is deployed'
	} >"$engine/logs"
	ci TAG=v1.0.2
	is "exit code" "$rc" 1
	has "it is shown" "$all" "##[error]not from us"
	for line in set-output '##[' 'name=code' add-mask carriage; do
		lacks "outside the fence" "$outside" "$line"
	done
	lacks "where the viewer looks" "$(grep -n '^##\[' "$T/ci")" '##['
	lacks "summary" "$summary" javascript
	output_is code 1
	says error "not deployed"
}

# A host that is not ours any more: what it sends cannot forge what we write down.
test_hostile_record() {
	world LANE_EXIT=0 'LANE_SAYS=::error::x'
	printf '#!/bin/sh\nprintf "%%s\\\\n" "{\\"outcome\\":\\"a\\\\nb | c\\",\\"to\\":{\\"tag\\":\\"x|y\\"}}"\n' >"$T/liar"
	chmod +x "$T/liar"
	sshd_keys "$T/liar"
	ci TAG=v1.0.1
	is "exit code" "$rc" 0
	lacks "summary" "$summary" "b | c"
	output_is outcome ''
	output_is tag v1.0.1
	is "output has four lines" "$(printf '%s\n' "$outputs" | grep -c .)" 4
}
