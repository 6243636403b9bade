#!/bin/sh
# ci-deploy.sh: sends one request to a host over ssh, from a CI job.  action.yml runs it.
#
# Input, by environment (in parentheses the input of action.yml and the founding name):
#
#   REQUEST     deploy (the default), rollback or status, or a whole request such as
#               `deploy v1.2.3 seq=1795520000`
#   TAG         the version to deploy or to roll back to; or
#   SHA         a commit, whose image has the tag sha-<7>
#   SEQ         when the version was pushed: epoch seconds, or 2026-11-24T11:33:20Z.
#               A host that runs a newer one answers 6
#   DIGEST, COMMIT, SIG
#               which image the tag must name: sha256:HEX, the commit of its label, and
#               a signature for a host with signed_by
#   TARGET      a name for the summary
#   DEPLOY_HOST, DEPLOY_USER, DEPLOY_KEY, DEPLOY_KNOWN_HOSTS
#   TRANSPORT   ssh (the default) or cloudflared
#   DEPLOY_PORT, DEPLOY_JUMP                  ssh: the port, and [USER@]HOST[:PORT]
#   ACCESS_CLIENT_ID, ACCESS_CLIENT_SECRET    cloudflared: the Access service token
#
# and, for tests, CI_PROXY, CI_CONNECT_TIMEOUT, CI_ALIVE, CI_TRIES and CI_PAUSE (below).
#
# It MUST: print no secret; leave no key behind, killed or not; let no line of the host
# be a command to the runner; read nothing of what the host prints but the exit code and
# the JSON record; and end green only if the host reported that the version runs (or that
# a newer one does).  It ends with the host's exit code, 0 for a 6; with 255 where the
# host could not be asked, and 64 where an input is wrong.
# shellcheck disable=SC2317 # leave and cancelled are run by traps
set -u
export LC_ALL=C

: "${CI_PROXY:=cloudflared access ssh --hostname %h}"
: "${CI_CONNECT_TIMEOUT:=30}" # also of the handshake through the tunnel
: "${CI_ALIVE:=15}"           # seconds; eight of them unanswered end the connection
: "${CI_TRIES:=5}" "${CI_PAUSE:=10}"
: "${REQUEST:=deploy}" "${TAG:=}" "${SHA:=}" "${SEQ:=}" "${TARGET:=}"
: "${DIGEST:=}" "${COMMIT:=}" "${SIG:=}"
: "${TRANSPORT:=ssh}" "${DEPLOY_HOST:=}" "${DEPLOY_USER:=}" "${DEPLOY_PORT:=}" "${DEPLOY_JUMP:=}"

formats='[1, 2]' # of the records that this script reads
room='' token='' ssh_pid='' code=255

# What each exit code means for a person: how to show it, the state, what to do next.
verdict() { # CODE
	case $1 in
	0) echo "notice|done|" ;;
	1) echo "error|not deployed; the previous version serves|push a fixed version" ;;
	2) echo "error|refused; nothing changed|check that the host allows the tag, and the key the verb" ;;
	3) echo "error|another deploy is running; nothing changed|run this job again when it has ended" ;;
	4) echo "error|the host is not ready; nothing changed|fix this, then run this job again" ;;
	5) echo "error|not deployed, and the previous version could not be verified|look at the host now" ;;
	6) echo "warning|superseded; nothing changed|a newer version is deployed; if every push ends so, see exit 6 in the runbook" ;;
	70) echo "error|a bug in twilight-deploy|report it with the log above" ;;
	255) echo "error|the host did not report a result|$(cause)" ;;
	*) echo "error|unknown exit code $1|treat it as a failure, and look at the host" ;;
	esac
}

# What our own ssh and cloudflared print when they cannot connect, and what it means.
cause() {
	while IFS='|' read -r part means; do
		! grep -qiF -- "$part" "$room/client" || { echo "$means" && return; }
	done <<-END
		host key verification failed|the host's key is not the one in known-hosts (ECS_SSH_KNOWN_HOSTS): find out why before you change it
		failed to find access application|Cloudflare Access refused the service token: check that it is valid, and that the policy of the host's application has the action Service Auth
		bad handshake|the tunnel refused: check the service token, the policy's action (Service Auth) and the tunnel's ingress
		permission denied|the host, or the jump host, refused the key: check its line in authorized_keys, and the user
		administratively prohibited|the jump host does not forward: check AllowTcpForwarding, and the options of the key there
		connection refused|nothing listens there: check the port, and that sshd runs
		could not resolve|check the host's name
		no such host|check that the host's name has a DNS record to the tunnel
		not found|check that cloudflared is installed
		timed out|no answer: check the host, port and firewall; behind a tunnel, that cloudflared and sshd run on the host, and the service token
	END
	case $verb in
	rollback) echo "ask for \`status\` before you repeat it: a second rollback may go further back" ;;
	*) echo "run this job again: it is safe to repeat; \`status\` shows the state" ;;
	esac
}

fail() {
	echo "::error title=twilight-deploy::$1"
	exit 64
}

# Also on INT and TERM: ssh runs in the background so that they are handled at once.
# What ssh still prints comes before the fence is closed.
leave() {
	[ -z "$ssh_pid" ] || kill "$ssh_pid" 2>/dev/null
	wait
	unfence
	[ -z "$room" ] || rm -rf "$room"
}

cancelled() {
	leave
	trap - EXIT
	echo "::warning title=twilight-deploy::cancelled here; a deploy that began continues on the host"
	exit "$1"
}

# --- the inputs -------------------------------------------------------------------

present() {
	command -v jq >/dev/null || fail "jq is not installed here"
	while IFS='|' read -r transport name input means; do
		[ "$transport" = any ] || [ "$transport" = "$TRANSPORT" ] || continue
		eval "value=\${$name-}"
		[ -n "$value" ] || fail "$input is missing: $means"
	done <<-END
		any|DEPLOY_HOST|host (ECS_SSH_HOSTNAME)|the host's name
		any|DEPLOY_USER|user (ECS_DEPLOY_USER)|the user that the host's installer created
		any|DEPLOY_KNOWN_HOSTS|known-hosts (ECS_SSH_KNOWN_HOSTS)|the host's name and its key, from /etc/ssh/ssh_host_ed25519_key.pub
		any|DEPLOY_KEY|ssh-key (ECS_SSH_PRIVATE_KEY)|the private key's file, all lines of it
		cloudflared|ACCESS_CLIENT_ID|access-client-id (CF_ACCESS_CLIENT_ID)|of the Access service token
		cloudflared|ACCESS_CLIENT_SECRET|access-client-secret (CF_ACCESS_CLIENT_SECRET)|of the Access service token
	END
}

# only NAME PATTERN: the value consists of these characters, and is no option.
only() {
	eval "value=\${$1}"
	case $value in
	-* | *[!$2]*) fail "$1 has a character that is not allowed" ;;
	esac
}

once() { # NAME VALUE
	eval "value=\${$1}"
	[ -z "$value" ] || fail "$1 is given twice"
	eval "$1=\$2"
}

# REQUEST and its words: $verb, TAG, SEQ, and which image it must be
words() {
	only REQUEST 'A-Za-z0-9_.=:+/ -'
	set -f
	# shellcheck disable=SC2086 # words
	set -- $REQUEST
	verb=${1-none}
	[ $# -eq 0 ] || shift
	for word; do
		case $word in
		seq=*) once SEQ "${word#seq=}" ;;
		digest=*) once DIGEST "${word#digest=}" ;;
		commit=*) once COMMIT "${word#commit=}" ;;
		sig=*) once SIG "${word#sig=}" ;;
		*) once TAG "$word" ;;
		esac
	done
	only SHA '0-9a-f'
	case $SHA in
	'') ;;
	???????*) once TAG "sha-$(printf '%.7s' "$SHA")" ;;
	*) fail "SHA is not a commit" ;;
	esac
	only TAG 'A-Za-z0-9_.-'
	only DIGEST 'a-z0-9:'
	only COMMIT '0-9a-f'
	only SIG 'A-Za-z0-9+/='
	only SEQ '0-9TZ:+-'
	case $SEQ in
	????-??-??T??:??:??*) SEQ=$(date -d "$SEQ" +%s 2>/dev/null) || fail "SEQ is not a time" ;;
	*[!0-9]*) fail "SEQ is not a time" ;;
	esac
}

sound() {
	only TARGET 'A-Za-z0-9_.-'
	only DEPLOY_HOST 'A-Za-z0-9.-'
	only DEPLOY_USER 'a-z0-9_-'
	only DEPLOY_PORT '0-9'
	only DEPLOY_JUMP 'A-Za-z0-9_.@:-'
	words
	proof="${DIGEST:+ digest=$DIGEST}${COMMIT:+ commit=$COMMIT}${SIG:+ sig=$SIG}"
	case $verb,$proof in
	deploy,* | *,) ;;
	*) fail "digest, commit and sig are for a deploy" ;;
	esac
	case $verb,$TAG in
	deploy,) fail "no tag to deploy: set tag, sha or request" ;;
	deploy,*) request="deploy $TAG${SEQ:+ seq=$SEQ}$proof --json" ;;
	rollback,*) request="rollback${TAG:+ $TAG} --json" ;;
	status,*) request=status ;;
	*) fail "REQUEST must be deploy, rollback or status" ;;
	esac
	case $TRANSPORT,$DEPLOY_PORT$DEPLOY_JUMP in
	ssh,* | cloudflared,) ;;
	cloudflared,*) fail "port and jump are for the transport ssh" ;;
	*) fail "TRANSPORT must be ssh or cloudflared" ;;
	esac
	jump_host=${DEPLOY_JUMP#*@}
	jump_user=${DEPLOY_JUMP%"$jump_host"}
	case $jump_host in
	*:*) jump_port=${jump_host#*:} ;;
	*) jump_port=22 ;;
	esac
	jump_host=${jump_host%%:*}
	[ -z "$DEPLOY_JUMP" ] || case $jump_host,$jump_port in
	,* | *, | *,*[!0-9]*) fail "DEPLOY_JUMP is not [USER@]HOST[:PORT]" ;;
	esac
}

# A secret that was pasted loses its last newline or gains a CR before each.
keys() {
	printf '%s\n' "$DEPLOY_KEY" | tr -d '\r' >"$room/key"
	printf '%s\n' "$DEPLOY_KNOWN_HOSTS" | tr -d '\r' >"$room/known_hosts"
	if [ "$TRANSPORT" = cloudflared ]; then
		TUNNEL_SERVICE_TOKEN_ID=$ACCESS_CLIENT_ID
		TUNNEL_SERVICE_TOKEN_SECRET=$ACCESS_CLIENT_SECRET
		export TUNNEL_SERVICE_TOKEN_ID TUNNEL_SERVICE_TOKEN_SECRET
	fi
	unset DEPLOY_KEY ACCESS_CLIENT_ID ACCESS_CLIENT_SECRET
	case $(ssh-keygen -y -P '' -f "$room/key" 2>&1 >/dev/null || echo broken) in
	'') ;;
	*passphrase*) fail "ssh-key (ECS_SSH_PRIVATE_KEY) has a passphrase: create a key without one" ;;
	*) fail "ssh-key (ECS_SSH_PRIVATE_KEY) is not a private key: paste the whole file, with its BEGIN and END lines" ;;
	esac
}

known() { # HOST PORT: its key is pinned
	[ "$2" = 22 ] && entry=$1 || entry="[$1]:$2"
	ssh-keygen -F "$entry" -f "$room/known_hosts" >/dev/null 2>&1 ||
		fail "known-hosts (ECS_SSH_KNOWN_HOSTS) has no key for $entry: a line is $entry ssh-ed25519 AAAA…"
}

# One configuration for both hops: nothing of this machine's own, no key that is not
# pinned.  What the hops' clients print goes to $room/client, apart from what the host
# prints; LogLevel ERROR keeps sshd's banner out of the latter.
config() {
	hop target "$DEPLOY_USER" "$DEPLOY_HOST" "${DEPLOY_PORT:-22}"
	case $TRANSPORT,$jump_host in
	cloudflared,*) echo "ProxyCommand $CI_PROXY 2>>'$room/client'" ;;
	ssh,?*)
		echo "ProxyCommand ssh -F '$room/config' -W [%h]:%p jump 2>>'$room/client'"
		hop jump "${jump_user:-$DEPLOY_USER}" "$jump_host" "$jump_port"
		echo "LogLevel INFO"
		;;
	esac
	cat <<-END
		Host *
		IdentityFile "$room/key"
		IdentitiesOnly yes
		IdentityAgent none
		BatchMode yes
		StrictHostKeyChecking yes
		UpdateHostKeys no
		UserKnownHostsFile "$room/known_hosts"
		GlobalKnownHostsFile none
		ConnectTimeout $CI_CONNECT_TIMEOUT
		ServerAliveInterval $CI_ALIVE
		ServerAliveCountMax 8
		LogLevel ERROR
	END
}

hop() { # NAME USER HOST PORT
	printf 'Host %s\nUser %s\nHostName %s\nPort %s\n' "$1" "${2%@}" "$3" "$4"
}

# --- the host --------------------------------------------------------------------

# Between these two the runner ignores commands; only we know the token.
fence() {
	token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	echo "::stop-commands::$token"
}

unfence() {
	[ -z "$token" ] || echo "::$token::"
	token=''
}

# Indented, so that no ##[…] stands where the log viewer looks for it; the last line is
# ended ($a), or the token that closes the fence would be part of it.
shown() {
	sed -u -e 's/\r$//' -e 's/\r/\n/g' -e 's/^/  /' -e 's/\n/\n  /g' -e "\$a\\"
}

# ask REQUEST: sets $code; stdout goes to $room/record, stderr to $room/talk.
# Files, not pipes: a process that the tunnel's client leaves behind cannot block us.
ask() {
	fence
	: >"$room/talk" && : >"$room/client"
	ssh -F "$room/config" -E "$room/client" -T target "$1" \
		</dev/null >"$room/record" 2>"$room/talk" &
	ssh_pid=$!
	tail -q -n +1 -s 0.2 -f --pid="$ssh_pid" "$room/talk" "$room/client" | shown &
	shown_pid=$!
	wait "$ssh_pid"
	code=$?
	ssh_pid=''
	wait "$shown_pid"
	shown <"$room/record"
	unfence
}

# The connection ended; the deploy may continue.  Nothing began if the host printed
# nothing.  The answer counts only if it is about this request: otherwise the host's last
# result, somebody else's, would be taken for ours.
ask_again() {
	[ -s "$room/talk" ] || return 0
	left=$CI_TRIES
	while [ "$code" -eq 255 ] && [ "$left" -gt 0 ]; do
		left=$((left - 1))
		echo "the connection ended; asking the host for the result"
		sleep "$CI_PAUSE"
		ask "status --wait --json"
	done
	tail -n 1 "$room/record" | jq -en --argjson v "$formats" --arg verb "$verb" --arg tag "$TAG" \
		--arg seq "${SEQ:-0}" 'input | (.v | IN($v[])) and .verb == $verb and
			($tag == "" or .to.tag == $tag) and
			($verb == "rollback" or .seq == ($seq | tonumber))' >/dev/null 2>&1 ||
		{ code=255 && : >"$room/record"; }
}

# --- the verdict ---------------------------------------------------------------------

# field JQ-PATH: of the record, if we know its format, with nothing in it that could be
# markup or a command: it goes into a page and into files.
field() {
	tail -n 1 "$room/record" | jq -rn "input | select(.v | IN(${formats}[])) | $1 | values |
		tostring | gsub(\"[^A-Za-z0-9_.:/ ,;=()'-]\"; \"?\") | .[:300]" 2>/dev/null
}

# What there is to say about a host of another version.
strange() {
	v=$(tail -n 1 "$room/record" | jq -n 'input.v | numbers' 2>/dev/null)
	case $verb,$code,$v in
	status,* | *,255,* | *,[12]) ;;
	*,) echo "the host sent no record: it does not run twilight-deploy, or an old version" ;;
	*) echo "the host's record has format $v, this action reads 1 and 2: use the same version on both sides" ;;
	esac
}

tell() {
	verdict "$code" >"$room/verdict"
	IFS='|' read -r level what next <"$room/verdict"
	strange=$(strange)
	[ "$level" != notice ] || [ -z "$strange" ] || level=warning
	why=$(field .why)
	echo "::$level title=${request% --json} ($code)::$what${why:+: $why}${next:+; $next}${strange:+; $strange}"
	{
		echo "code=$code"
		echo "outcome=$(field .outcome)"
		echo "version=$(field .to.tag)"
		echo "previous=$(field .from.tag)"
	} >>"${GITHUB_OUTPUT:-/dev/null}"
	summary >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
}

row() { [ -z "$2" ] || echo "| $1 | $2 |"; }

summary() {
	echo "| ${request% --json} | $what |"
	echo "|---|---|"
	row target "$TARGET"
	row host "$DEPLOY_HOST"
	row "exit code" "$code"
	row outcome "$(field .outcome)"
	row version "$(field .to.tag)"
	row previous "$(field .from.tag)"
	row image "$(field '.to | .image // ([.services[].revision] | join(" "))')"
	row "health tries" "$(field .tries)"
	row milliseconds "$(field .ms.total)"
	row reason "$why"
	row next "$next"
	row note "$strange"
	echo
}

trap leave EXIT
trap 'cancelled 129' HUP
trap 'cancelled 130' INT
trap 'cancelled 143' TERM
umask 077
present
sound
room=$(mktemp -d "${RUNNER_TEMP:-/tmp}/ci-deploy.XXXXXX") || fail "cannot make a temporary folder"
keys
known "$DEPLOY_HOST" "${DEPLOY_PORT:-22}"
[ -z "$jump_host" ] || known "$jump_host" "$jump_port"
config >"$room/config"
ask "$request"
[ "$code" -ne 255 ] || ask_again
tell
[ "$code" -ne 6 ] || exit 0
exit "$code"
