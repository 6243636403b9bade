# shellcheck shell=sh
# clients.sh: a deploy ends by itself if its client is lost: the tunnel breaks, the runner is
# cancelled, the laptop sleeps.  Sourced by run.sh.
#
# Variables come from world.sh, and are read in run.sh:
# shellcheck disable=SC2034,SC2153,SC2154

SCENARIOS_CLIENTS="
client_killed
client_stopped
client_cut
"

scenario_client_killed() { client_is_lost killed; }
scenario_client_stopped() { client_is_lost stopped; }
scenario_client_cut() { client_is_lost cut; }

# A docker that waits at one call of one phase until the file `talk` exists, prints more than
# the pipe and the window of ssh can hold, and waits until the file `go` exists.
CHATTER=8000
docker_that_waits() {
	cat >"$SPARE/docker" <<SH
#!/bin/sh
until_there() {
	until [ -e "$SPARE/\$1" ] || [ ! -d "$SPARE" ]; do sleep 0.05; done
}
step=\$(sed -n 's/^ *"phase": *"\([^"]*\)".*/\1/p' "$STATE/journal" 2>/dev/null)
if [ "\$1 \$2, \$step" = "\$(cat "$SPARE/wait" 2>/dev/null)" ]; then
	mv "$SPARE/wait" "$SPARE/waits"
	until_there talk
	awk 'BEGIN { for (i = 0; i < $CHATTER; i++) printf "chatter %0400d\n", i }'
	until_there go
fi
exec "$(command -v docker)" "\$@"
SH
	chmod +x "$SPARE/docker"
	setting PATH "$SPARE:$PATH"
}

client_is_lost() {
	stopped=
	trap '[ -z "$stopped" ] || kill -KILL "$stopped"; home_remove' EXIT
	setting TWILIGHT_HEALTH_TRIES 2
	v1_runs
	docker_that_waits
	client_round "$1" sha-0000002 healthy 'compose pull, prepare'
	client_round "$1" sha-0000003 healthy 'compose up, apply'
	client_round "$1" sha-0000004 healthy settling
	kept=$IMAGE
	client_round "$1" sha-0000005 never 'compose up, revert'
}

# client_round HOW TAG BEHAVIOUR CALL: a deploy whose client is lost at that call.  `settling`
# has no call of docker: the deployer itself is stopped meanwhile.
client_round() {
	publish "$2" "$3"
	echo "-- $1 at: $4"
	lines=$(records)
	rm -f "$SPARE/waits" "$SPARE/talk" "$SPARE/go"
	echo "$4" >"$SPARE/wait"
	keys_write
	SSHD_WRAP='exec' sshd_client ci -T "$(id -un)@127.0.0.1" deploy "$2" \
		>"$SPARE/client" 2>&1 </dev/null &
	client=$!
	wait_for 60 client_deploy_at "$4" || fail "the deploy comes to: $4"
	deployer=$(sed -n 's/.* pid \([0-9]*\),.*/\1/p' "$STATE/lock")
	[ "$4" != settling ] || kill -STOP "$deployer"
	"client_$1"
	: >"$SPARE/talk"
	ask operator status
	code 0
	said "in flight:        deploy $2 by ci, phase "
	: >"$SPARE/go"
	[ "$4" != settling ] || kill -CONT "$deployer"
	wait_for 120 more_records_than "$lines" || fail "the deploy ends, and the history has it"
	wait_for 60 flock -n "$STATE/lock" true || fail "the lock is free"
	[ "$(records)" -eq $((lines + 1)) ] || fail "one record of it, not $(records) - $lines"
	at_rest
	if [ "$3" = healthy ]; then
		outcome=0
		env_is "$2"
		runs "$IMAGE" "$2"
		recorded deploy 0 deployed "$2" "$IMAGE"
	else
		outcome=1
		env_is sha-0000004
		runs "$kept" sha-0000004
		recorded deploy 1 'rolled back' "$2" "$IMAGE"
	fi
	"client_$1_end" "$4"
}

client_deploy_at() {
	case $1 in
	settling) in_phase settling ;;
	*) [ -e "$SPARE/waits" ] ;;
	esac
}

client_killed() { kill -KILL "$client"; }
client_killed_end() { wait "$client" || :; }

client_stopped() {
	stopped=$client
	kill -STOP "$client"
}

# When it continues, it gets the result, and the output that the pipe had room for.
client_stopped_end() {
	kill -CONT "$client"
	wait "$client"
	CODE=$?
	stopped=
	tail -n 3 "$SPARE/client" | cut -c 1-200
	code "$outcome"
	case $1 in
	settling) ;;
	*) [ "$(grep -c chatter "$SPARE/client")" -lt $CHATTER ] || fail "the pipe was full" ;;
	esac
}

# Kills the sshd process of this connection: the nearest one above the deployer.
client_cut() {
	session=$deployer
	until grep -qs '^sshd' "/proc/$session/comm"; do
		session=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/${session:-none}/status")
		[ "${session:-1}" -gt 1 ] || fail "the deployer is a child of sshd"
	done
	[ "$session" -ne "$SSHD_PID" ] || fail "a session of its own"
	kill -KILL "$session"
}

client_cut_end() {
	wait "$client"
	CODE=$?
	code 255
}

more_records_than() { [ "$(records)" -gt "$1" ]; }
