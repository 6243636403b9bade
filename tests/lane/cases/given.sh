# given.sh: missing and wrong inputs are reported before a connection is made.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# unasked NAME PART: the error contains NAME and PART; no connection was made.
unasked() {
	is "exit code" "$rc" 64
	says error "$1"
	has "what to do" "$outside" "$2"
	is "the host was not asked" "$(cat "$T/plan.token" 2>/dev/null)" ""
}

test_each_that_is_missing() {
	while read -r missing input; do
		ci TAG=v1.0.1 "$missing="
		unasked "$input is missing" ": "
	done <<-END
		DEPLOY_HOST host (ECS_SSH_HOSTNAME)
		DEPLOY_USER user (ECS_DEPLOY_USER)
		DEPLOY_KNOWN_HOSTS known-hosts (ECS_SSH_KNOWN_HOSTS)
		DEPLOY_KEY ssh-key (ECS_SSH_PRIVATE_KEY)
		ACCESS_CLIENT_ID access-client-id (CF_ACCESS_CLIENT_ID)
		ACCESS_CLIENT_SECRET access-client-secret (CF_ACCESS_CLIENT_SECRET)
	END
}

test_no_tag() {
	ci
	unasked "no tag to deploy" "set tag"
	ci SHA=abc
	unasked "SHA is not a commit" SHA
	ci REQUEST=shell TAG=v1.0.1
	unasked "REQUEST must be" deploy
	ci REQUEST='deploy v1.0.1' SHA=0123456789
	unasked "TAG is given twice" TAG
	ci REQUEST='deploy v1.0.1 sig=AA' SIG=AA
	unasked "SIG is given twice" SIG
	ci REQUEST='rollback v1.0.1' SIG=AA
	unasked "digest, commit and sig" deploy
	ci TAG=v1.0.1 TRANSPORT=telnet
	unasked "TRANSPORT must be" ssh
	ci TAG=v1.0.1 DEPLOY_PORT=22
	unasked "port and jump" "transport ssh"
	for jump in user@ user@host: host:22:22 host:x; do
		ci TAG=v1.0.1 TRANSPORT=ssh DEPLOY_JUMP=$jump
		unasked "DEPLOY_JUMP is not" "HOST"
	done
}

# None of these may become an option of ssh, a word of the request, or a line of output.
test_hostile_inputs() {
	for hostile in 'v1; id' '-oProxyCommand=id' "v1
v2" 'v1$(id)' 'v1 seq=9' '::error::'; do
		ci TAG="$hostile"
		unasked "TAG has a character" TAG
	done
	for hostile in 'deploy,v9' 'status;id' 'status
::error::x'; do
		ci REQUEST="$hostile"
		unasked "has a character" a
	done
	for hostile in '12:30' '2026-11-24T99:00:00Z'; do
		ci TAG=v1.0.1 SEQ="$hostile"
		unasked "SEQ is not a time" SEQ
	done
	while read -r input hostile; do
		ci TAG=v1.0.1 "$input=$hostile"
		unasked "$input has a character" "$input"
	done <<-END
		SEQ 1 x
		DEPLOY_HOST -oProxyCommand=id
		DEPLOY_HOST a%h
		DEPLOY_USER -l root
		DEPLOY_PORT 22 x
		DEPLOY_JUMP a b
		DEPLOY_JUMP -oProxyCommand=id
		TARGET x|y
		DIGEST sha256:1 seq=9
		COMMIT abc;id
		SIG AA==,seq=9
	END
}

# As after pasting it into a form.
test_key_that_can_be_repaired() {
	memory v1.0.0
	publish v1.0.1
	host
	ci TAG=v1.0.1 DEPLOY_KEY="$(key_of ci | sed 's/$/\r/')"
	is "exit code with CRLF" "$rc" 0
	ci TAG=v1.0.1 DEPLOY_KEY="$(key_of ci)
"
	is "exit code with a newline more" "$rc" 0
	ci TAG=v1.0.1 DEPLOY_KNOWN_HOSTS="$(sed 's/$/\r/' "$T/known_hosts")"
	is "exit code with CRLF in the host's key" "$rc" 0
}

test_key_that_cannot() {
	ci TAG=v1.0.1 DEPLOY_KEY="$(key_of ci | sed 3d)"
	unasked "ssh-key (ECS_SSH_PRIVATE_KEY) is not a private key" "BEGIN and END"
	ci TAG=v1.0.1 DEPLOY_KEY="$(key_of ci | tr '\n' ' ')"
	unasked "ssh-key (ECS_SSH_PRIVATE_KEY) is not a private key" "BEGIN and END"
	ci TAG=v1.0.1 DEPLOY_KEY="$(key_of ci.pub)"
	unasked "ssh-key (ECS_SSH_PRIVATE_KEY) is not a private key" "BEGIN and END"
	ssh-keygen -q -t ed25519 -N 'a phrase' -f "$T/locked"
	ci TAG=v1.0.1 DEPLOY_KEY="$(cat "$T/locked")"
	unasked "ssh-key (ECS_SSH_PRIVATE_KEY) has a passphrase" "without one"
}

test_known_hosts_without_the_host() {
	sed -i 's/^[^ ]*/another.test/' "$T/known_hosts"
	ci TAG=v1.0.1
	unasked "known-hosts (ECS_SSH_KNOWN_HOSTS) has no key for $name" "ssh-ed25519"
	echo 'not a line of that file' >"$T/known_hosts"
	ci TAG=v1.0.1
	unasked "known-hosts (ECS_SSH_KNOWN_HOSTS) has no key for $name" "ssh-ed25519"
}
