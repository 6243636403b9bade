# lost.sh: the connection fails, or ends before the answer.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# For a liar: prints a message of ssh's client, then kills its own connection.
begins_and_dies="echo 'Host key verification failed.' >&2
until grep -q . '$T'/runner/ci-deploy.*/talk; do sleep 0.02; done
kill -KILL \$PPID"

# severed TAG [THEN]: the connection is cut during the deploy's `up`.
severed() {
	memory v1.0.0
	publish v1.0.1
	publish v1.0.2 never
	fault '1 slow=1000 docker compose up'
	through cut "${2:-carry}"
	host
	ci TAG="$1"
}

test_cut_and_deployed() {
	severed v1.0.1
	is "exit code" "$rc" 0
	says notice "done"
	is "it was asked after, once" "$(connections)" 2
	output_is code 0
	output_is version v1.0.1
	runs v1.0.1
}

test_cut_and_rolled_back() {
	severed v1.0.2
	is "exit code" "$rc" 1
	says error "not deployed; the previous version serves"
	runs v1.0.0
}

test_cut_and_not_reached_again() {
	severed v1.0.1 refuse
	is "exit code" "$rc" 255
	says error "the host did not report a result"
	is "it was tried so often" "$(connections)" 3
	has "why" "$outside" "service token"
}

test_cut_and_reached_at_last() {
	memory v1.0.0
	publish v1.0.1
	fault '1 slow=1000 docker compose up'
	through cut refuse carry
	host
	ci TAG=v1.0.1
	is "exit code" "$rc" 0
	is "it was tried so often" "$(connections)" 3
}

test_cut_rollback() {
	memory v1.0.0
	publish v1.0.1
	host
	ci TAG=v1.0.1
	fault '1 slow=1000 docker compose up'
	host
	: >"$log"
	through cut carry
	ci REQUEST=rollback DEPLOY_KEY="$(key_of operator)"
	is "exit code" "$rc" 0
	runs v1.0.0
	echo "$begins_and_dies" | liar
	through carry
	ci REQUEST=rollback DEPLOY_KEY="$(key_of ci)"
	is "exit code of a host that is silent" "$rc" 255
	says error "before you repeat it"
}

# The host's last result is a success, but of another deploy.
test_not_begun_is_not_done() {
	memory v1.0.0
	publish v1.0.1
	host
	ci TAG=v1.0.1
	through refuse carry
	ci TAG=v1.0.1
	is "exit code" "$rc" 255
	says error "the host did not report a result"
	has "why" "$outside" "service token"
	has "summary" "$summary" "| exit code | 255 |"
}

# The host has no record of the deploy that was cut; its last record is of another.
test_somebody_elses_result() {
	severed v1.0.1
	is "exit code" "$rc" 0
	liar <<-END
		case \$SSH_ORIGINAL_COMMAND in
		status*) echo '{"v":1,"verb":"deploy","seq":0,"to":{"tag":"v1.0.1"},"outcome":"deployed"}' && exit 0 ;;
		esac
		$begins_and_dies
	END
	through carry
	ci TAG=v1.0.2
	is "exit code" "$rc" 255
	says error "the host did not report a result"
	output_is outcome ''
	ci TAG=v1.0.1
	is "exit code of its own" "$rc" 0
	ci TAG=v1.0.1 SEQ=1
	is "exit code with another time of push" "$rc" 255
}

# The deploy is killed on the host, so there is no result; the same job run again recovers.
test_killed_on_the_host() {
	memory v1.0.0
	publish v1.0.1
	fault '1 slow=1000 docker compose up'
	host
	{
		await was_called 'compose up'
		kill -KILL "$(sed -n 's/.*, pid \([0-9]*\),.*/\1/p' "$state/lock")"
	} &
	ci TAG=v1.0.1
	is "exit code" "$rc" 255
	says error "run this job again"
	has "what the host knows" "$all" "was interrupted"
	ci TAG=v1.0.1
	is "exit code of the same again" "$rc" 0
	runs v1.0.1
}

# The tunnel's client ends, but a child of it holds our stderr.
test_left_behind() {
	memory v1.0.0
	publish v1.0.1
	through leave
	host
	ci TAG=v1.0.1
	kill "$(cat "$T/plan.left")"
	is "exit code" "$rc" 0
	runs v1.0.1
}

test_refused_by_the_tunnel() {
	through refuse
	ci TAG=v1.0.1
	is "exit code" "$rc" 255
	says error "Service Auth"
	is "it was tried once" "$(connections)" 1
}

test_tunnel_is_down() {
	through down
	ci TAG=v1.0.1
	is "exit code" "$rc" 255
	says error "the tunnel's ingress"
}

# The host cannot forge the cause: it is taken only from our own clients.
test_cause_is_not_the_hosts() {
	echo "$begins_and_dies" | liar
	ci TAG=v1.0.1
	is "exit code" "$rc" 255
	says error "run this job again"
}

test_tunnel_hangs() {
	through hang
	connect=1
	ci TAG=v1.0.1
	is "exit code" "$rc" 255
	says error "that cloudflared and sshd run on the host"
}

test_host_key_is_another() {
	ssh-keygen -q -t ed25519 -N '' -f "$T/other"
	printf '%s %s\n' "$name" "$(cut -d' ' -f1,2 "$T/other.pub")" >"$T/known_hosts"
	ci TAG=v1.0.1
	is "exit code" "$rc" 255
	says error "find out why before you change it"
	is "docker was not called" "$(cat "$log")" ""
}

test_key_is_not_known() {
	ssh-keygen -q -t ed25519 -N '' -f "$T/other"
	ci TAG=v1.0.1 DEPLOY_KEY="$(cat "$T/other")"
	is "exit code" "$rc" 255
	says error "refused the key"
}

# cancel SIGNAL CODE: the runner ends the step during the deploy's `up`.
cancel() {
	memory v1.0.0
	publish v1.0.1
	fault '1 slow=1000 docker compose up'
	through carry
	host
	: >"$T/outputs"
	: >"$T/summary"
	# in a new session with default signals: a background child ignores INT
	step TAG=v1.0.1 setsid -w env --default-signal=INT "$REPO/deploy/ci-deploy.sh" \
		>"$T/ci" 2>&1 </dev/null &
	await was_called 'compose up' || wrong "the deploy" "its up" "$(cat "$T/ci")"
	# other lanes run it too
	for pid in $(pgrep -f "^/bin/sh $REPO/deploy/ci-deploy.sh"); do
		grep -qs "RUNNER_TEMP=$T/runner" "/proc/$pid/environ" || continue
		kill "-$1" "$pid"
		break
	done
	wait $!
	rc=$?
	seen
	is "exit code of $1" "$rc" "$2"
	says warning "a deploy that began continues"
	await grep -q '"to":{"tag":"v1.0.1".*"code":0' "$state/history.jsonl" ||
		wrong "the history" v1.0.1 "$(cat "$state/history.jsonl")"
	runs v1.0.1
}

test_cancelled() { cancel INT 130; }

test_terminated() { cancel TERM 143; }
