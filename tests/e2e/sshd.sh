# shellcheck shell=sh
# sshd.sh: a real sshd on a free loopback port, and a client for it.  Sourced from
# the top of the tree (or with E2E_LIB=…/tests/e2e).
#
#   sshd_start DIR                  makes host key, two client keys, configuration in DIR
#   sshd_keys PROGRAM NAME=VALUE…   writes authorized_keys: both keys run PROGRAM as a
#                                   forced command with these settings, `ci` with the
#                                   verbs of a network key, `operator` with all verbs
#   ssh_run WORDS…                  a request as `ci`; ssh_as ROLE WORDS…: as either
#   sshd_stop                       ends the daemon; the caller removes DIR
#
# It works as root and as a normal user, who logs in as himself.  The machine's ssh
# configuration, agent and keys are not used.

# shellcheck source=tests/e2e/common.sh
. "${E2E_LIB:-tests/e2e}/common.sh"

SSHD_PID=

sshd_start() {
	SSHD_DIR=$1
	need_package sshd openssh-server && need_package ssh openssh-client || return 1
	mkdir -p "$SSHD_DIR" && chmod 700 "$SSHD_DIR" || return 1
	for ss_key in host ci operator; do
		rm -f "$SSHD_DIR/$ss_key" "$SSHD_DIR/$ss_key.pub"
		ssh-keygen -q -t ed25519 -N '' -C "$ss_key" -f "$SSHD_DIR/$ss_key" || return 1
	done
	free_port
	SSHD_PORT=$FREE_PORT
	printf '[127.0.0.1]:%s %s\n' "$SSHD_PORT" "$(cat "$SSHD_DIR/host.pub")" \
		>"$SSHD_DIR/known_hosts"
	: >"$SSHD_DIR/authorized_keys"
	# root's sshd needs this folder, which the system's service makes
	[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd || return 1
	# try without PAM, then with it: without it sshd refuses a user with a locked password;
	# with it the account step of an unprivileged sshd may fail
	for ss_pam in no yes; do
		sshd_try "$ss_pam" && return 0
		sshd_stop
	done
	tail -n 5 "$SSHD_DIR/sshd.log" >&2
	refuse "sshd on 127.0.0.1:$SSHD_PORT does not let $(id -un) in (see above)"
}

# Starts it, and tries a real login with a stand-in forced command.
sshd_try() {
	sshd_config "$1" >"$SSHD_DIR/sshd_config"
	# since OpenSSH 9.8 failed logins from an address are held against it, and all
	# of ours come from one
	PATH=$PATH:/usr/sbin:/sbin
	ss_sshd=$(command -v sshd)
	echo 'PerSourcePenalties no' >>"$SSHD_DIR/sshd_config"
	"$ss_sshd" -t -f "$SSHD_DIR/sshd_config" 2>/dev/null ||
		sshd_config "$1" >"$SSHD_DIR/sshd_config"
	"$ss_sshd" -D -e -f "$SSHD_DIR/sshd_config" >"$SSHD_DIR/sshd.log" 2>&1 </dev/null &
	SSHD_PID=$!
	sshd_keys /bin/echo
	wait_for 20 sshd_up_or_dead
	# shellcheck disable=SC2119
	[ "$(ssh_run 2>/dev/null)" = "--actor ci" ]
}

sshd_up_or_dead() {
	port_listens "$SSHD_PORT" || process_gone "$SSHD_PID"
}

# StrictModes is off because a folder under /tmp can never satisfy it; the key
# file's own line is what these tests are about.
sshd_config() {
	cat <<CONF
Port $SSHD_PORT
ListenAddress 127.0.0.1
HostKey $SSHD_DIR/host
PidFile none
AuthorizedKeysFile $SSHD_DIR/authorized_keys
StrictModes no
UsePAM $1
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin forced-commands-only
PermitUserEnvironment no
ExposeAuthInfo yes
PrintMotd no
PrintLastLog no
X11Forwarding no
Subsystem sftp internal-sftp
MaxStartups 100
LogLevel INFO
CONF
}

sshd_keys() {
	sk_program=$1
	shift
	sk_settings=
	for sk_setting in "$@"; do
		# quoted for the shell that sshd runs the line with; " must not end command="…"
		sk_value=$(printf '%s' "${sk_setting#*=}" | sed "s/'/'\\\\''/g; s/\"/\\\\\"/g")
		sk_settings="$sk_settings${sk_setting%%=*}='$sk_value' "
	done
	# renamed into place: a login that comes meanwhile reads one whole file
	{
		printf 'restrict,command="%s%s --actor ci" %s\n' \
			"$sk_settings" "$sk_program" "$(cat "$SSHD_DIR/ci.pub")"
		printf 'restrict,command="%s%s --actor operator --allow all" %s\n' \
			"$sk_settings" "$sk_program" "$(cat "$SSHD_DIR/operator.pub")"
	} >"$SSHD_DIR/authorized_keys.new"
	mv "$SSHD_DIR/authorized_keys.new" "$SSHD_DIR/authorized_keys"
}

# shellcheck disable=SC2120 # no words: an empty request
ssh_run() { ssh_as ci "$@"; }

ssh_as() {
	sa_role=$1
	shift
	sshd_client "$sa_role" -T "$(id -un)@127.0.0.1" -- "$@"
}

# sshd_client ROLE SSH-ARGUMENT…: the bare client, for what ssh_as has no words for.
# SSHD_WRAP=exec makes a client in the background be $! itself, to be killed.
sshd_client() {
	sc_role=$1
	shift
	${SSHD_WRAP:-timeout 240} ssh -F none -i "$SSHD_DIR/$sc_role" -p "$SSHD_PORT" \
		-o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none \
		-o StrictHostKeyChecking=yes -o UserKnownHostsFile="$SSHD_DIR/known_hosts" \
		-o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=20 -o LogLevel=ERROR "$@"
}

sshd_stop() {
	[ -n "$SSHD_PID" ] || return 0
	end_process "$SSHD_PID" 10
	SSHD_PID=
}
