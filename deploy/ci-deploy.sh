#!/bin/sh
# ci-deploy.sh: asks a host for a deploy, over ssh, from a CI job; the workflows call it.
#
# What it is told, it is told by environment:
#
#   ACTION        deploy (the default), rollback or status
#   TAG           what to deploy, or to go back to; or
#   SHA           a commit: its image's tag is sha-<its first 7 digits>
#   SEQ           the order of this deploy among others; a host that has a newer one says 6
#   TARGET        a word for the summary
#   ECS_DEPLOY_USER, ECS_SSH_HOSTNAME, ECS_SSH_KNOWN_HOSTS      who, where, its host keys
#   ECS_SSH_PRIVATE_KEY, CF_ACCESS_CLIENT_ID, CF_ACCESS_CLIENT_SECRET
#
# and, for tests, CI_PROXY, CI_CONNECT_TIMEOUT, CI_ALIVE, CI_TRIES and CI_PAUSE (below).
#
# It MUST: print no secret; leave no key behind, killed or not; let no line of the host
# be a command to the runner; and end green only if the host said that the version runs
# (or that a newer one does).  It ends with the host's exit code, 0 for a 6; with 255
# where the host could not be asked, and 64 where what it was told is wrong.
# shellcheck disable=SC2317 # leave and cancelled are the traps'
set -u
export LC_ALL=C

: "${CI_PROXY:=cloudflared access ssh --hostname %h}"
: "${CI_CONNECT_TIMEOUT:=30}" # also of the handshake through the tunnel
: "${CI_ALIVE:=15}"           # seconds; eight of them unanswered end the connection
: "${CI_TRIES:=5}" "${CI_PAUSE:=10}"
: "${ACTION:=deploy}" "${TAG:=}" "${SHA:=}" "${SEQ:=}" "${TARGET:=}"

room='' token='' ssh_pid='' code=255

# What each exit code is for a person: how it is shown, what is so, what to do next.
verdict() { # CODE
	case $1 in
	0) echo "notice|done|" ;;
	1) echo "error|not deployed; the previous version serves|the log above tells why; push a mended version" ;;
	2) echo "error|refused; nothing was changed|see that the tag is one the host allows, and the verb one of this key's" ;;
	3) echo "error|another deploy is running; nothing was changed|run this job again when it has ended" ;;
	4) echo "error|the host is not ready; nothing was changed|mend what the last lines name, then run this job again" ;;
	5) echo "error|not deployed, and the previous version could not be verified|look at the host now" ;;
	6) echo "warning|superseded; nothing was changed|a newer version is deployed; if every push ends so, see exit 6 in the runbook" ;;
	70) echo "error|a bug in twilight-deploy|report it with the log above" ;;
	255) echo "error|the host did not say how it ended|$(cause)" ;;
	*) echo "error|unknown exit code $1|treat it as a failure, and look at the host" ;;
	esac
}

# What ssh and cloudflared say when they cannot get through, and what that means.
cause() {
	while IFS='|' read -r says means; do
		! grep -qiF -- "$says" "$room/talk" || { echo "$means" && return; }
	done <<-END
		host key verification failed|the host's key is not the one in ECS_SSH_KNOWN_HOSTS: find out why before you change it
		permission denied|the host does not know the key: see the line in its authorized_keys, and ECS_DEPLOY_USER
		websocket|the tunnel refused: see that the service token is valid, and the policy's action Service Auth
		not found|see that cloudflared was installed
		no such host|see that ECS_SSH_HOSTNAME has a DNS record to the tunnel
		timed out|see that cloudflared and sshd run on the host, and that the service token is valid
	END
	case $ACTION in
	rollback) echo "ask for \`status\` before you repeat it: a second rollback may go further back" ;;
	*) echo "run this job again: to repeat it is safe; \`status\` tells what is so" ;;
	esac
}

fail() {
	echo "::error title=twilight-deploy::$1"
	exit 64
}

# Also for INT and TERM: ssh runs in the background so that they are heard at once.
# What it still had to say comes before the fence is closed.
leave() {
	[ -z "$ssh_pid" ] || kill "$ssh_pid" 2>/dev/null
	wait
	unfence
	[ -z "$room" ] || rm -rf "$room"
}

cancelled() {
	leave
	trap - EXIT
	echo "::warning title=twilight-deploy::cancelled here; a deploy that began goes on, on the host"
	exit "$1"
}

# --- what we were given ---------------------------------------------------------

present() {
	while read -r kind name where; do
		eval "value=\${$name-}"
		[ -n "$value" ] || fail "the $kind $name is missing: $where"
	done <<-END
		variable ECS_DEPLOY_USER the user that the host's installer made
		variable ECS_SSH_HOSTNAME the name that the tunnel gives the host's sshd
		variable ECS_SSH_KNOWN_HOSTS that name and the host's key, from /etc/ssh/ssh_host_ed25519_key.pub
		secret ECS_SSH_PRIVATE_KEY the deploy key's file, all lines of it
		secret CF_ACCESS_CLIENT_ID of the Access service token
		secret CF_ACCESS_CLIENT_SECRET of the Access service token
	END
}

# only NAME PATTERN: the value is of these characters, and no option.
only() {
	eval "value=\${$1}"
	case $value in
	-* | *[!$2]*) fail "$1 has a character that it must not have" ;;
	esac
}

sound() {
	only ACTION 'a-z'
	only ECS_DEPLOY_USER 'a-z0-9_-'
	only ECS_SSH_HOSTNAME 'A-Za-z0-9.-'
	only TARGET 'A-Za-z0-9_.-'
	only SHA '0-9a-f'
	only TAG 'A-Za-z0-9_.-'
	only SEQ '0-9'
	case $SHA in
	'' | ???????*) ;;
	*) fail "SHA is no commit" ;;
	esac
	[ -n "$TAG" ] || [ -z "$SHA" ] || TAG=sha-$(printf '%.7s' "$SHA")
	case $ACTION,$TAG in
	deploy,) fail "no tag to deploy: give TAG" ;;
	deploy,*) request="deploy $TAG${SEQ:+ seq=$SEQ} --json" ;;
	rollback,*) request="rollback${TAG:+ $TAG} --json" ;;
	status,*) request=status ;;
	*) fail "ACTION must be deploy, rollback or status" ;;
	esac
}

# A secret that was pasted loses its last newline or gains a CR before each.
keys() {
	printf '%s\n' "$ECS_SSH_PRIVATE_KEY" | tr -d '\r' >"$room/key"
	printf '%s\n' "$ECS_SSH_KNOWN_HOSTS" | tr -d '\r' >"$room/known_hosts"
	TUNNEL_SERVICE_TOKEN_ID=$CF_ACCESS_CLIENT_ID
	TUNNEL_SERVICE_TOKEN_SECRET=$CF_ACCESS_CLIENT_SECRET
	export TUNNEL_SERVICE_TOKEN_ID TUNNEL_SERVICE_TOKEN_SECRET
	unset ECS_SSH_PRIVATE_KEY CF_ACCESS_CLIENT_ID CF_ACCESS_CLIENT_SECRET
	case $(ssh-keygen -y -P '' -f "$room/key" 2>&1 >/dev/null || echo broken) in
	'') ;;
	*passphrase*) fail "the secret ECS_SSH_PRIVATE_KEY has a passphrase: make a key without one" ;;
	*) fail "the secret ECS_SSH_PRIVATE_KEY is no private key: paste the whole file, with its BEGIN and END lines" ;;
	esac
	ssh-keygen -F "$ECS_SSH_HOSTNAME" -f "$room/known_hosts" >/dev/null 2>&1 ||
		fail "the variable ECS_SSH_KNOWN_HOSTS has no key for $ECS_SSH_HOSTNAME: a line is the name, ssh-ed25519, the key"
}

# --- the host --------------------------------------------------------------------

# Between these two the runner takes no line for a command; only we know the word.
fence() {
	token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	echo "::stop-commands::$token"
}

unfence() {
	[ -z "$token" ] || echo "::$token::"
	token=''
}

# Indented, so that no ##[…] stands where the log's viewer looks for it; and the last line
# ends ($a), or the word that closes the fence would be a part of it.
shown() {
	sed -u -e 's/\r/\n/g' -e 's/^/  /' -e 's/\n/\n  /g' -e "\$a\\"
}

# ask REQUEST: $code; what came lies in $room/record (stdout) and $room/talk (the rest).
# Through files, not pipes: what the tunnel's client may leave behind cannot hold us.
ask() {
	fence
	: >"$room/talk"
	ssh -F none -T -i "$room/key" -o IdentitiesOnly=yes -o IdentityAgent=none \
		-o BatchMode=yes -o StrictHostKeyChecking=yes -o UpdateHostKeys=no \
		-o UserKnownHostsFile="$room/known_hosts" -o GlobalKnownHostsFile=none \
		-o ConnectTimeout="$CI_CONNECT_TIMEOUT" \
		-o ServerAliveInterval="$CI_ALIVE" -o ServerAliveCountMax=8 \
		-o ProxyCommand="$CI_PROXY" "$ECS_DEPLOY_USER@$ECS_SSH_HOSTNAME" "$1" \
		</dev/null >"$room/record" 2>"$room/talk" &
	ssh_pid=$!
	tail -n +1 -s 0.2 -f --pid="$ssh_pid" "$room/talk" | shown &
	shown_pid=$!
	wait "$ssh_pid"
	code=$?
	ssh_pid=''
	wait "$shown_pid"
	shown <"$room/record"
	unfence
}

# The connection ended, the deploy need not have.  It is asked after only if we saw it
# begin, and the answer counts only if it is about this one: else the host's last
# result, somebody else's, would be taken for ours.
ask_again() {
	grep -qE '^(deploying:       |rolling back to: )' "$room/talk" || return 0
	left=$CI_TRIES
	while [ "$code" -eq 255 ] && [ "$left" -gt 0 ]; do
		left=$((left - 1))
		echo "the connection ended; asking the host how the $ACTION did"
		sleep "$CI_PAUSE"
		ask "status --wait"
	done
	grep -q "^last: .* $ACTION ${TAG:-[^ ]*}: " "$room/record" || code=255
}

# --- the verdict ---------------------------------------------------------------------

# field JQ-PATH: of the record, and only if it is plain: it goes into a page and into files.
field() {
	tail -n 1 "$room/record" | jq -ner "input | $1 | tostring |
		select(. != \"null\" and test(\"\\\\A[A-Za-z0-9_.:/ -]{1,128}\\\\z\"))" 2>/dev/null
}

tell() {
	verdict "$code" >"$room/verdict"
	IFS='|' read -r level what next <"$room/verdict"
	numbers=$(sed -n 's/^.*superseded: \(seq=[0-9]*\), but \(seq=[0-9]*\).*$/\1 was asked for, \2 is deployed/p' \
		"$room/talk" | tail -n 1)
	[ "$code" -ne 6 ] || what="$what${numbers:+: $numbers}"
	echo "::$level title=${request% --json} ($code)::$what${next:+; $next}"
	{
		echo "code=$code"
		echo "tag=$(field .to.tag || echo "$TAG")"
		echo "from=$(field .from.tag)"
		echo "outcome=$(field .outcome)"
	} >>"${GITHUB_OUTPUT:-/dev/null}"
	summary >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
}

row() { [ -z "$2" ] || echo "| $1 | $2 |"; }

summary() {
	echo "| ${request% --json} | $what |"
	echo "|---|---|"
	row target "$TARGET"
	row host "$ECS_SSH_HOSTNAME"
	row "exit code" "$code"
	row outcome "$(field .outcome)"
	row from "$(field .from.tag)"
	row to "$(field .to.tag)"
	row image "$(field .to.image)"
	row "health tries" "$(field .tries)"
	row milliseconds "$(field .ms.total)"
	row "next" "$next"
	echo
}

trap leave EXIT
trap 'cancelled 129' HUP
trap 'cancelled 130' INT
trap 'cancelled 143' TERM
umask 077
present
sound
room=$(mktemp -d "${RUNNER_TEMP:-/tmp}/ci-deploy.XXXXXX") || fail "no room for a temporary folder"
keys
ask "$request"
[ "$code" -ne 255 ] || ask_again
tell
[ "$code" -ne 6 ] || exit 0
exit "$code"
