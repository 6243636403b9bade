# shellcheck shell=sh
# host.sh: a throw-away host in an overlay of / on a tmpfs: real users, a real sshd, a real
# engine behind its docker.sock; the machine is not changed.  Sourced after sshd.sh by
# scripts that run as root in a mount namespace of their own; needs TREE and WORK.
#
#   roots_begin             mounts a tmpfs at WORK for all roots; needed once
#   host_make FUNCTION      the base of all roots; FUNCTION adds files below $H
#   root_make NAME          a root, at $R; its changes are in $UPPER
#   inside COMMAND…         runs it in that root, as root, with an empty environment
#   sshd_up OPTION…         starts its sshd, with its configuration, on SSHD_PORT

# shellcheck disable=SC2034 # the scripts'
UUID=6ff42ae2-765d-4adf-8112-31c55c1551ef
CREDENTIALS=/etc/cloudflared/$UUID.json
ROOT_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

roots_begin() {
	mkdir -p "$WORK" && mount --make-rprivate / && mount -t tmpfs tmpfs "$WORK"
}

# overlay NAME LOWER: an overlay of LOWER, at $WORK/NAME/root
overlay() {
	mkdir -p "$WORK/$1/upper" "$WORK/$1/work" "$WORK/$1/root"
	mount -t overlay -o "lowerdir=$2,upperdir=$WORK/$1/upper,workdir=$WORK/$1/work" \
		overlay "$WORK/$1/root"
}

# root_make NAME: a copy of the base, with the mounts of a running system
root_make() {
	overlay "$1" "$WORK/host/upper:/" || return 1
	R=$WORK/$1/root
	UPPER=$WORK/$1/upper
	mount --rbind /dev "$R/dev" && mount -t proc proc "$R/proc" &&
		mount -t tmpfs -o mode=755 tmpfs "$R/run" && mount -t tmpfs -o mode=1777 tmpfs "$R/tmp" &&
		mount --bind "$TREE" "$R/mnt" && mkdir "$R/run/sshd" || return 1
	: >"$R/run/docker.sock"
	mount --bind "$SOCKET" "$R/run/docker.sock"
	mkdir -p "$R/var/run"
}

inside() { env -i PATH="$ROOT_PATH" HOME=/root chroot "$R" "$@"; }
as_deploy() { inside runuser -u deploy -- "$@"; }

# What the host has first: docker with compose, sshd, a tunnel's credentials and a stub of
# cloudflared (dry.sh uses a real one if there is one).
host_make() {
	overlay host / || return 1
	H=$WORK/host/root
	rm -rf "$H/home/deploy" "$H/etc/ssh/authorized_keys.d" "$H/var/lib/twilight-deploy"
	mkdir -p "$H/usr/local/bin" "$H/usr/local/lib/docker/cli-plugins"
	docker_client=$(readlink -f "$(command -v docker)")
	[ "$(readlink -f "$H/usr/local/bin/docker")" = "$docker_client" ] ||
		ln -sfT "$docker_client" "$H/usr/local/bin/docker"
	[ ! -x "${DOCKER_CONFIG:-}/cli-plugins/docker-compose" ] ||
		cp "$DOCKER_CONFIG/cli-plugins/docker-compose" "$H/usr/local/lib/docker/cli-plugins/"
	mkdir -p "$H/etc/ssh"
	ssh-keygen -A -f "$H" >/dev/null
	mkdir -p "$H/etc/cloudflared"
	(umask 077 && echo '{}' >"$H$CREDENTIALS")
	rm -f "$H/usr/local/bin/cloudflared"
	cloudflared_says OK >"$H/usr/local/bin/cloudflared"
	chmod 755 "$H/usr/local/bin/cloudflared"
	host_socket
	"$1"
	umount "$H"
}

# shellcheck disable=SC2016 # the $3 is its own
cloudflared_says() {
	printf '#!/bin/sh\necho "Validating rules from $3"\necho "%s"\n' "$1"
}

# The socket's group must be the docker group of the throw-away root: change the socket of
# an engine of ours, else the group.
host_socket() {
	SOCKET=${DOCKER_HOST:-unix:///var/run/docker.sock}
	SOCKET=$(readlink -f "${SOCKET#unix://}")
	chroot "$H" getent group docker >/dev/null || chroot "$H" groupadd --system docker
	if [ -s "$ENGINE_DIR/dockerd.pid" ]; then
		chgrp "$(chroot "$H" getent group docker | cut -d: -f3)" "$SOCKET"
	else
		chroot "$H" groupmod -o -g "$(stat -c %g "$SOCKET")" docker
	fi
}

sshd_up() {
	free_port
	SSHD_PORT=$FREE_PORT
	printf '[127.0.0.1]:%s %s\n' "$SSHD_PORT" "$(cat "$R/etc/ssh/ssh_host_ed25519_key.pub")" \
		>"$WORK/known_hosts"
	env -i PATH="$ROOT_PATH" chroot "$R" /usr/sbin/sshd -D -e -p "$SSHD_PORT" \
		-o ListenAddress=127.0.0.1 -o PidFile=none "$@" >"$WORK/sshd.log" 2>&1 </dev/null &
	SSHD_PID=$!
	wait_for 20 sshd_up_or_dead
	port_listens "$SSHD_PORT"
}
