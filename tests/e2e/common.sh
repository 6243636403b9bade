# shellcheck shell=sh
# common.sh: functions for engine.sh and sshd.sh.  Sourced by them.

note() { printf 'e2e: %s\n' "$*" >&2; }

# A missing component is a failure with a reason, never a skip.
refuse() {
	printf 'e2e: CANNOT RUN: %s\n' "$*" >&2
	return 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

# need_package COMMAND PACKAGE...: installs the packages if the command is missing.  Fetches
# the lists only if the first try fails.
need_package() {
	np_command=$1
	shift
	if PATH=$PATH:/usr/sbin:/sbin command -v "$np_command" >/dev/null 2>&1; then
		return 0
	fi
	note "installing $* for $np_command"
	if ! command -v apt-get >/dev/null 2>&1; then
		refuse "$np_command is missing, and without apt-get it must be installed by hand"
		return 1
	fi
	np_log=$(DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -q \
		--no-install-recommends "$@" 2>&1) ||
		np_log=$(as_root apt-get update -q 2>&1 &&
			DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -q \
				--no-install-recommends "$@" 2>&1) || {
		printf '%s\n' "$np_log" | tail -n 5 >&2
		refuse "apt-get could not install $*"
		return 1
	}
}

# free_port: sets FREE_PORT.  Not printed: the counter would be lost in $(…).  The port is
# below the ephemeral range, so that no client has it.  Runs start at different ports, also if
# their pids are neighbours.
FREE_PORT=$((20000 + $$ * 37 % 11000))
free_port() {
	while :; do
		FREE_PORT=$((FREE_PORT + 1))
		[ "$FREE_PORT" -lt 32000 ] || FREE_PORT=20000
		port_listens "$FREE_PORT" || return 0
	done
}

# State 0A is LISTEN; the port is the local address's last four digits.
port_listens() {
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk -v port="$(printf ':%04X' "$1")" \
			'$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 }
			END { exit !found }'
}

# wait_for SECONDS COMMAND...: polls ten times a second.  The deadline is for hangs only.
wait_for() {
	wf_left=$(($1 * 10))
	shift
	until "$@"; do
		wf_left=$((wf_left - 1))
		[ "$wf_left" -gt 0 ] || return 1
		sleep 0.1
	done
}

# end_process PID SECONDS: TERM, then KILL.  Only for a pid that we started, directly or with
# sudo.
end_process() {
	kill "$1" 2>/dev/null || as_root kill "$1" 2>/dev/null || return 0
	wait_for "$2" process_gone "$1" || kill -KILL "$1" 2>/dev/null ||
		as_root kill -KILL "$1" 2>/dev/null || :
}

# A zombie counts as gone: perhaps no process reaps it.
process_gone() {
	pg_state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) ||
		return 0
	[ -z "$pg_state" ] || [ "$pg_state" = Z ]
}
