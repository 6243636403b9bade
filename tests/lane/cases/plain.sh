# plain.sh: plain ssh without a tunnel, and a jump host.
# shellcheck shell=sh disable=SC2154,SC2034

world() {
	memory v1.0.0
	publish v1.0.1
	publish v1.0.2 never
	host
}

test_plain() {
	world
	plain TAG=v1.0.1
	is "exit code" "$rc" 0
	says notice "done"
	output_is version v1.0.1
	runs v1.0.1
	plain TAG=v1.0.2
	is "exit code of a bad one" "$rc" 1
	runs v1.0.1
}

test_plain_host_key() {
	plain TAG=v1.0.1 DEPLOY_KNOWN_HOSTS="$(head -n 1 "$T/known_hosts")"
	is "exit code without a key for that port" "$rc" 64
	says error "no key for [127.0.0.1]:$SSHD_PORT"
	ssh-keygen -q -t ed25519 -N '' -f "$T/other"
	plain TAG=v1.0.1 DEPLOY_KNOWN_HOSTS="[127.0.0.1]:$SSHD_PORT $(cut -d' ' -f1,2 "$T/other.pub")"
	is "exit code with another key" "$rc" 255
	says error "find out why before you change it"
	is "docker was not called" "$(cat "$log")" ""
}

test_plain_nothing_listens() {
	free_port
	plain TAG=v1.0.1 DEPLOY_PORT="$FREE_PORT" DEPLOY_KNOWN_HOSTS="$(sed "s/:$SSHD_PORT/:$FREE_PORT/" "$T/known_hosts")"
	is "exit code" "$rc" 255
	says error "nothing listens there"
}

test_jump() {
	world
	jump=$(id -un)@127.0.0.1:$SSHD_PORT
	plain TAG=v1.0.1 DEPLOY_JUMP="$jump"
	is "exit code where it does not forward" "$rc" 255
	says error "the jump host does not forward"
	sed -i 's/^restrict,/&port-forwarding,/' "$SSHD_DIR/authorized_keys"
	plain TAG=v1.0.1 DEPLOY_JUMP="$jump"
	is "exit code" "$rc" 0
	runs v1.0.1
	plain TAG=v1.0.1 DEPLOY_JUMP="localhost:$SSHD_PORT"
	is "exit code without its key" "$rc" 64
	says error "no key for [localhost]:$SSHD_PORT"
	plain TAG=v1.0.1 DEPLOY_JUMP="nobody@127.0.0.1:$SSHD_PORT"
	is "exit code where it refuses" "$rc" 255
	says error "jump host, refused the key"
}
