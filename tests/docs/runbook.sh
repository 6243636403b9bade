#!/bin/sh
# runbook.sh WORK: runs each block of commands of the runbook, as printed and in order,
# in two throw-away roots, the host and a workstation, with a real sshd and a real engine.
# Run by run.sh, as root, in namespaces of its own.  DOCS_VERBOSE=1 prints all output.
#
# Replaced, as a reader would: the registry, the ports, and `…` in a key that was printed
# before.  cloudflared is a stub that copies bytes.
set -u
WORK=$1/root
TREE=$(cd "$(dirname "$0")/../.." && pwd)
RUNBOOK=docs/deploy/ecs-auto-deploy-runbook.md
PROGRAM=$TREE # world.sh wants one; the runbook builds its own
# shellcheck source=tests/e2e/world.sh
. "$TREE/tests/e2e/world.sh"
# shellcheck source=tests/e2e/sshd.sh
. "$TREE/tests/e2e/sshd.sh"
# shellcheck source=tests/install/lib.sh
. "$TREE/tests/install/lib.sh"
# shellcheck source=tests/install/host.sh
. "$TREE/tests/install/host.sh"
roots_begin || exit 1

# -- two machines ---------------------------------------------------------------------

clone() {
	mkdir -p "$H/root/twilight-deploy"
	(cd "$TREE" && git ls-files -co --exclude-standard -z |
		xargs -0 cp --parents -t "$H/root/twilight-deploy")
	rm -rf "$H/root/.ssh"
}

at() { R=$WORK/at-$1/root; }

# After the installer has run: sshd, which systemd would have reloaded, and the tunnel,
# tests/lane/proxy.sh, which reads from /tmp/tunnel what to do.
way_in() {
	at host
	[ -z "$SSHD_PID" ] && [ -e "$R/etc/ssh/sshd_config.d/60-twilight-deploy.conf" ] || return 0
	sshd_up -o LogLevel=INFO || echo 'FAIL sshd does not start'
	at you
	printf '#!/bin/sh\nexec /mnt/tests/lane/proxy.sh %s /tmp/tunnel\n' "$SSHD_PORT" \
		>"$R/usr/local/bin/cloudflared"
	echo carry >"$R/tmp/tunnel"
	echo '127.0.0.1 deploy.example.org' >>"$R/etc/hosts"
}

# -- a block ----------------------------------------------------------------------------

# What a reader replaces, as a sed script: registry, ports and keys.
fill() {
	echo "s|ghcr.io/your-name|${REPO%/*}|g; s|8081|$PORT|g"
	fill_host=$(cut -d' ' -f2 "$WORK/at-host/root/etc/ssh/ssh_host_ed25519_key.pub")
	echo "s|'deploy.example.org ssh-ed25519 AAAA…|'[deploy.example.org]:${SSHD_PORT:-22} ssh-ed25519 $fill_host|"
	# through the tunnel the port does not matter
	echo "s|\"deploy.example.org ssh-ed25519 AAAA…|\"deploy.example.org ssh-ed25519 $fill_host|"
	echo "s|Port 22\$|Port ${SSHD_PORT:-22}|; s|PORT=22|PORT=${SSHD_PORT:-22}|"
	for fill_key in "$WORK"/at-you/root/root/.ssh/*.pub; do
		[ ! -e "$fill_key" ] || sed 's#^\(.*\) \(.*\) \(.*\)$#s|\1 AAAA… \3|\1 \2 \3|g#' "$fill_key"
	done
}

# Replaces what differs from run to run, in what is shown and in what was printed.
mask() {
	tr -d '\r' | sed -E "s|${REPO%/*}|ghcr.io/your-name|g; s|\\b$PORT\\b|8081|g" | sed -E '
		s/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z/TIME/g
		s/AAAA(…|[A-Za-z0-9+\/=]{20,})/KEY/g
		s/SHA256:[A-Za-z0-9+\/]{43}/SHA256:FINGERPRINT/g
		s/(image|Image:|sha256:) ?[0-9a-f]{12,64}/\1 ID/g
		s/ [0-9]+ ms/ N ms/g
		s/[0-9]+ tries/N tries/g
		s/pid [0-9]+/pid N/g'
}

# in_place HOST-OR-YOU FILE: runs it in a clone of this repository; stops at the first
# command that fails.
in_place() {
	at "$1"
	fill >"$WORK/fill"
	sed -f "$WORK/fill" "$2" >"$R/tmp/block"
	inside sh -c 'cd /root/twilight-deploy && exec bash -e /tmp/block' </dev/null
}

# A block whose exit code is not 0 shows it: [exit 1]
case_block() {
	in_place "$1" "$2.cmd" >"$WORK/came" 2>&1
	block_code=$?
	[ "$block_code" -eq 0 ] || echo "[exit $block_code]" >>"$WORK/came"
	sed 's/^/    /' "$2.cmd" "$WORK/came"
	if [ -e "$2.says" ]; then
		mask <"$2.says" >"$WORK/shown"
		mask <"$WORK/came" >"$WORK/masked"
		LC_ALL=C awk -f "$TREE/tests/docs/shown.awk" "$WORK/shown" "$WORK/masked" || exit 1
	elif [ "$block_code" -ne 0 ]; then
		fail 'exit 0'
	fi
}

follow() {
	while read -r n kind what name <&3; do
		name=${name}_$n
		way_in
		case $kind in
		run)
			try block "$what" "$WORK/blocks/$n" | sed "s/^\(PASS\|FAIL\) .*/\1 $name/"
			[ -z "${DOCS_VERBOSE-}" ] || cat "$WORK/out"
			;;
		given)
			in_place "$what" "$WORK/blocks/$n.cmd" >"$WORK/came" 2>&1 || {
				echo "FAIL $name: what is given"
				cat "$WORK/came"
			}
			;;
		not) skip "$name: $(echo "$what" | tr _ ' ')" ;;
		unmarked) echo "FAIL $name: a block without a mark (see tests/docs/blocks.awk)" ;;
		esac
	done 3<"$WORK/steps"
}

# -- main ----------------------------------------------------------------------------

NAME=docs
REPO=$ENGINE_REGISTRY/docs/your-app
REPOSITORY=docs/your-app
SPARE=$WORK/spare
free_port
PORT=$FREE_PORT
mkdir -p "$SPARE" "$WORK/image" "$WORK/blocks"
trap sshd_stop EXIT
trap 'exit 130' INT TERM HUP

if ! need_package sshd openssh-server || ! need_package jq jq ||
	! need_package gcc gcc libc6-dev ||
	! gcc -std=c11 -D_GNU_SOURCE -O2 -static -o "$WORK/image/service" "$TREE/mocks/service.c" ||
	! (for tag in sha-0a1b2c3 sha-1b2c3d4 v1.0.0 v1.1.0; do publish $tag healthy || exit 1; done &&
		publish sha-2c3d4e5 exit) >/dev/null ||
	! host_make clone || ! root_make at-you || ! root_make at-host; then
	echo 'FAIL the throw-away machines (see above)'
	exit 1
fi
(cd "$TREE" && LC_ALL=C awk -v out="$WORK/blocks" -v path="$RUNBOOK" -f tests/docs/blocks.awk) >"$WORK/steps"
follow
