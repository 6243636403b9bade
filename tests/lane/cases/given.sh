# given.sh: what is missing or wrong in what the job was given.  Each is found before
# the host is asked, and named.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# unasked NAME PART: an error that names NAME and says PART; no connection was made.
unasked() {
	is "exit code" "$rc" 64
	says error "$1"
	has "what to do" "$outside" "$2"
	is "the host was not asked" "$(cat "$T/plan.token" 2>/dev/null)" ""
}

test_each_that_is_missing() {
	for missing in ECS_DEPLOY_USER ECS_SSH_HOSTNAME ECS_SSH_KNOWN_HOSTS; do
		ci TAG=v1.0.1 $missing=
		unasked "variable $missing is missing" ": "
	done
	for missing in ECS_SSH_PRIVATE_KEY CF_ACCESS_CLIENT_ID CF_ACCESS_CLIENT_SECRET; do
		ci TAG=v1.0.1 $missing=
		unasked "secret $missing is missing" ": "
	done
}

test_no_tag() {
	ci
	unasked "no tag to deploy" TAG
	ci SHA=abc
	unasked "SHA is no commit" SHA
	ci ACTION=shell TAG=v1.0.1
	unasked "ACTION must be" deploy
}

# Nothing of these can become an option of ssh, a word of the request or a line.
test_hostile_inputs() {
	for hostile in 'v1; id' '-oProxyCommand=id' "v1
v2" 'v1$(id)' 'v1 seq=9' '::error::'; do
		ci TAG="$hostile"
		unasked "TAG has a character" TAG
	done
	for hostile in 'deploy,v9' 'status,
::error::x' 'rollback,'; do
		ci ACTION="$hostile" TAG=v1.0.1
		unasked "ACTION" a
	done
	ci TAG=v1.0.1 SEQ='1 x'
	unasked "SEQ has" SEQ
	ci TAG=v1.0.1 ECS_SSH_HOSTNAME=-oProxyCommand=id
	unasked "ECS_SSH_HOSTNAME has" ECS_SSH_HOSTNAME
	ci TAG=v1.0.1 ECS_DEPLOY_USER='-l root'
	unasked "ECS_DEPLOY_USER has" ECS_DEPLOY_USER
	ci TAG=v1.0.1 TARGET='x|y'
	unasked "TARGET has" TARGET
}

# As it is when it was pasted through a form.
test_key_that_can_be_mended() {
	memory v1.0.0
	publish v1.0.1
	host
	ci TAG=v1.0.1 ECS_SSH_PRIVATE_KEY="$(key_of ci | sed 's/$/\r/')"
	is "exit code with CRLF" "$rc" 0
	ci TAG=v1.0.1 ECS_SSH_PRIVATE_KEY="$(key_of ci)
"
	is "exit code with a newline more" "$rc" 0
	ci TAG=v1.0.1 ECS_SSH_KNOWN_HOSTS="$(sed 's/$/\r/' "$T/known_hosts")"
	is "exit code with CRLF in the host's key" "$rc" 0
}

test_key_that_cannot() {
	ci TAG=v1.0.1 ECS_SSH_PRIVATE_KEY="$(key_of ci | sed 3d)"
	unasked "ECS_SSH_PRIVATE_KEY is no private key" "BEGIN and END"
	ci TAG=v1.0.1 ECS_SSH_PRIVATE_KEY="$(key_of ci | tr '\n' ' ')"
	unasked "ECS_SSH_PRIVATE_KEY is no private key" "BEGIN and END"
	ci TAG=v1.0.1 ECS_SSH_PRIVATE_KEY="$(key_of ci.pub)"
	unasked "ECS_SSH_PRIVATE_KEY is no private key" "BEGIN and END"
	ssh-keygen -q -t ed25519 -N 'a phrase' -f "$T/locked"
	ci TAG=v1.0.1 ECS_SSH_PRIVATE_KEY="$(cat "$T/locked")"
	unasked "ECS_SSH_PRIVATE_KEY has a passphrase" "without one"
}

test_known_hosts_without_the_host() {
	sed -i 's/^[^ ]*/another.test/' "$T/known_hosts"
	ci TAG=v1.0.1
	unasked "ECS_SSH_KNOWN_HOSTS has no key for $name" "ssh-ed25519"
	echo 'not a line of that file' >"$T/known_hosts"
	ci TAG=v1.0.1
	unasked "ECS_SSH_KNOWN_HOSTS has no key for $name" "ssh-ed25519"
}
