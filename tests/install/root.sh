#!/bin/sh
# root.sh PROGRAM WORK: the installer for real: users, sshd, units and a deploy, in an
# overlay of / on a tmpfs.  Run by run.sh, as root, in a mount namespace of its own, with
# the engine that it started (DOCKER_HOST, ENGINE_…).
# root.sh --probe WORK: can such a root be mounted here?
set -u
PROGRAM=$1
WORK=$2/root
TREE=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/e2e/world.sh
. "$TREE/tests/e2e/world.sh"
# shellcheck source=tests/e2e/sshd.sh
. "$TREE/tests/e2e/sshd.sh"
# shellcheck source=tests/install/lib.sh
. "$TREE/tests/install/lib.sh"
# shellcheck source=tests/install/host.sh
. "$TREE/tests/install/host.sh"

roots_begin || exit 1
if [ "$PROGRAM" = --probe ]; then
	overlay probe / && chroot "$WORK/probe/root" true
	exit
fi

# install_run SETTING…
install_run() {
	inside env PROGRAM=/root/twilight-deploy DEPLOY_PUBKEY_FILE=/root/ci.pub \
		TWILIGHT_HEALTH_URL="http://127.0.0.1:$PORT/healthz" TWILIGHT_HEALTH_TRIES=4 \
		TWILIGHT_HEALTH_SLEEP=1 TWILIGHT_HEALTH_SETTLE=1 TWILIGHT_DISK_MIN=1M \
		TUNNEL_UUID=$UUID HTTP_HOSTNAME=app.example.org SSH_HOSTNAME=ssh.example.org \
		ACCESS_TEAM=example ACCESS_AUD=0123456789abcdef "$@" \
		/mnt/deploy/install.sh $INSTALL_OPTION </dev/null
}
INSTALL_OPTION=

# The service that is there before, and who asks.
host_service() {
	cp "$PROGRAM" "$H/root/twilight-deploy"
	cp "$WORK"/*.pub "$H/root/"
	mkdir -p "$H$COMPOSE_DIR"
	cat >"$H$COMPOSE_DIR/compose.yml" <<-YML
		name: $PROJECT
		services:
		  data:
		    image: $REPO:\${TWILIGHT_VERSION:?not set}
		    restart: unless-stopped
		    stop_grace_period: 5s
		    ports: ["127.0.0.1:$PORT:8080"]
	YML
	printf '# kept\r\nTWILIGHT_VERSION=latest # deployed\nSECRET="a b"' >"$H$HOME_DIR/.env"
	chmod 640 "$H$HOME_DIR/.env"
}

# -- refused, and nothing is changed ---------------------------------------------------------

# case_refused WORDS COMMAND SETTING…: after COMMAND was run on the host
case_refused() {
	words=$1
	root_make refused || fail 'a root'
	inside sh -c "$2" || fail "$2"
	shift 2
	before=$(tree "$UPPER")
	! install_run "$@" >"$WORK/said" 2>&1 || fail 'an exit code that is not 0'
	cat "$WORK/said"
	is 'refusals' 1 "$(grep -c '^install.sh: refused: ' "$WORK/said")"
	has "$WORK/said" "$words"
	after=$(tree "$UPPER")
	# a folder in which a file came and went has another time
	came_and_went='^(etc/ssh/sshd_config.d|var|var/lib) d'
	is 'the host' "$(printf '%s\n' "$before" | grep -vE "$came_and_went")" \
		"$(printf '%s\n' "$after" | grep -vE "$came_and_went")"
}

# apart CASE…: in a root of its own
apart() {
	try "$@"
	umount -R "$WORK/refused/root"
	rm -rf "$WORK/refused"
}

refused() { apart refused "$@"; }

refusals() {
	user='useradd -M -d /home/deploy -s /bin/sh -p "*" deploy'
	conf=/etc/ssh/sshd_config.d
	refused "missing env file: $HOME_DIR/.env" "rm $HOME_DIR/.env"
	refused "missing TWILIGHT_VERSION in $HOME_DIR/.env" "echo A=b >$HOME_DIR/.env"
	refused "no compose file in $COMPOSE_DIR" "rm $COMPOSE_DIR/compose.yml"
	refused 'through a symbolic link' "mv $HOME_DIR /srv/t && ln -s /srv/t $HOME_DIR"
	refused "$COMPOSE_DIR/compose.yml can be changed by deploy" "chmod 666 $COMPOSE_DIR/compose.yml"
	refused "$COMPOSE_DIR can be changed by deploy" "$user; chown deploy $COMPOSE_DIR"
	refused '/home can be changed by deploy' 'useradd -M -s /bin/sh -d /opt -p "*" deploy; chown deploy /home'
	refused 'another shell than /bin/sh' 'useradd -m -s /bin/bash deploy'
	refused 'user deploy has a password' 'useradd -M -s /bin/sh -p x deploy'
	refused '/home/deploy can be changed by deploy' "$user; chown deploy /home/deploy"
	refused 'there is a group deploy and no such user' 'groupadd deploy'
	refused 'the group of user deploy is not its own' 'useradd -M -s /bin/sh -p "*" -g users deploy'
	refused 'the home of user deploy is /' 'useradd -M -d / -s /bin/sh -p "*" deploy'
	refused '/home/deploy is a symbolic link' "$user; mv $HOME_DIR /srv/t; rm -r /home/deploy; mkdir /srv/d; ln -s /srv/d /home/deploy" \
		TWILIGHT_HOME=/srv/t
	refused "$COMPOSE_DIR can be changed by deploy" "chgrp docker $COMPOSE_DIR; chmod g+w $COMPOSE_DIR"
	refused "$COMPOSE_DIR can be changed by deploy" "chmod 1777 $COMPOSE_DIR"
	refused "$COMPOSE_DIR/compose.yml can be changed by deploy" \
		"mv $COMPOSE_DIR/compose.yml /srv; ln -s /srv/compose.yml $COMPOSE_DIR; chmod 666 /srv/compose.yml"
	own="printf '[target default]\nhome = $HOME_DIR\ncompose_dir = $HOME_DIR\n' >/etc/twilight-deploy.conf; mv $COMPOSE_DIR/compose.yml $HOME_DIR"
	refused 'name it with compose_files' "$own"
	refused 'compose.yml can be changed by deploy' \
		"$own; echo compose_files = compose.yml >>/etc/twilight-deploy.conf; chmod 666 $HOME_DIR/compose.yml"
	refused 'user deploy is root' 'useradd -M -o -u 0 -s /bin/sh deploy'
	refused 'no docker on PATH' 'rm -f /usr/bin/docker /usr/local/bin/docker /bin/docker'
	refused 'older than 2.23' 'rm -rf /usr/local/bin/docker /usr/bin/docker; printf "#!/bin/sh\necho 2.17.3\n" >/usr/local/bin/docker; chmod 755 /usr/local/bin/docker'
	refused "sshd's configuration is already wrong" "echo Nonsense yes >$conf/10-bad.conf"
	refused 'sshd lets a client set variables (acceptenv twilight_*)' "echo 'AcceptEnv TWILIGHT_*' >$conf/10-env.conf"
	refused 'another file sets permituserenvironment' "echo 'PermitUserEnvironment yes' >$conf/10-env.conf"
	refused 'another file sets permittty' "printf 'Match User deploy\n\tPermitTTY yes\n' >$conf/10-tty.conf"
	refused '(acceptenv twilight_*) from 192.0.2.1' \
		"printf 'Match Address 192.0.2.0/24\n\tAcceptEnv TWILIGHT_*\n' >$conf/10-env.conf"
	refused 'sets authorizedkeysfile disableforwarding for clients from 2001:db8::1' \
		"printf 'Match Address !127.0.0.1,!::1,*:*\n\tAuthorizedKeysFile .ssh/authorized_keys\n\tDisableForwarding no\n' >$conf/10-keys.conf"
	refused 'sets permittty for clients from 10.1.2.3' \
		"printf 'Match Address 10.0.0.0/8\n\tPermitTTY yes\n' >$conf/10-tty.conf" DEPLOY_FROM=127.0.0.1,10.1.2.3
	refused 'sshd_config does not include this one' "sed -i /^Include/d /etc/ssh/sshd_config"
	refused 'exists and was not written by this script' 'echo x >/etc/systemd/system/twilight-backend.service'
	refused 'no cloudflared on PATH' 'rm -f /usr/bin/cloudflared /usr/local/bin/cloudflared'
	refused "$CREDENTIALS is not there" "rm $CREDENTIALS"
	refused "$CREDENTIALS is a secret" "chmod 644 $CREDENTIALS"
	refused 'cloudflared rejects its configuration' \
		'printf "#!/bin/sh\necho Warning: unused keys\n" >/usr/local/bin/cloudflared'
}

# case_interrupted_is_undone COMMAND: killed when it runs that command
case_interrupted_is_undone() {
	root_make refused || fail 'a root'
	# shellcheck disable=SC2016 # the $PPID is its own
	printf '#!/bin/sh\nkill -KILL $PPID\n' >"$R/usr/local/sbin/$1"
	chmod 755 "$R/usr/local/sbin/$1"
	! install_run || fail 'killed'
	rm "$R/usr/local/sbin/$1"
	[ -n "$(differences)" ] || fail 'something was done before'
	INSTALL_OPTION=--uninstall
	install_run || fail 'exit 0'
	is 'what differs' '' "$(differences)"
}

# stub COMMAND: in its place in the throw-away root, a script, on stdin
stub() {
	cat >"$R/usr/local/sbin/$1"
	chmod 755 "$R/usr/local/sbin/$1"
}

# A file that sshd rejects must not be there when the machine starts again.
case_leaves_sshd_alone() {
	root_make refused || fail 'a root'
	case $1 in
	full_disk) stub cp <<-'END' ;;
		#!/bin/sh
		case $2 in
		*/60-twilight-deploy.conf*) head -c 700 "$1" >"$2"; exit 1 ;;
		esac
		exec /bin/cp "$@"
	END
	ended) stub sshd <<-'END' ;;
		#!/bin/sh
		[ ! -e /etc/ssh/sshd_config.d/60-twilight-deploy.conf ] || kill -TERM $PPID
		exec /usr/sbin/sshd "$@"
	END
	esac
	! install_run || fail 'an exit code that is not 0'
	is 'the folder' '' "$(differences | grep sshd_config.d/)"
}

# The first run fails after sshd's file is written: sshd has been reloaded all the same.
case_sshd_knows_of_a_run_that_failed() {
	root_make refused || fail 'a root'
	mkdir -p "$R/run/systemd/system"
	printf '#!/bin/sh\necho "$*" >>/tmp/calls\n' | stub systemctl
	printf '#!/bin/sh\nexit 1\n' | stub useradd
	! install_run || fail 'an exit code that is not 0'
	has "$R/tmp/calls" 'reload ssh.service'
}

# A stub of systemctl records what it is called with.
case_tells_systemd() {
	root_make refused || fail 'a root'
	mkdir -p "$R/run/systemd/system"
	printf '#!/bin/sh\necho "$*" >>/tmp/calls\n' >"$R/usr/local/sbin/systemctl"
	chmod 755 "$R/usr/local/sbin/systemctl"
	units='twilight-backend.service twilight-cloudflared.service'
	install_run || fail 'exit 0'
	is 'the first run' "--quiet is-active ssh.service
reload ssh.service
--quiet enable $units
daemon-reload
start twilight-backend.service
restart twilight-cloudflared.service" "$(cat "$R/tmp/calls")"
	rm "$R/tmp/calls"
	install_run || fail 'exit 0'
	is 'the second' "--quiet enable $units
daemon-reload
start twilight-backend.service
start twilight-cloudflared.service" "$(cat "$R/tmp/calls")"
	rm "$R/tmp/calls"
	INSTALL_OPTION=--uninstall
	install_run || fail 'exit 0'
	is 'the end' "--quiet disable --now twilight-cloudflared.service
--quiet disable --now twilight-backend.service
daemon-reload
--quiet is-active ssh.service
reload ssh.service" "$(cat "$R/tmp/calls")"
}

# Before the first deploy there is nothing to start: no error, and no further attempts.
case_starts_nothing_yet() {
	root_make refused || fail 'a root'
	mkdir -p "$R/run/systemd/system"
	stub systemctl <<-'END'
		#!/bin/sh
		echo "$*" >>/tmp/calls
		[ "$*" != 'start twilight-backend.service' ]
	END
	install_run >"$WORK/said" 2>&1 || fail 'exit 0'
	has "$WORK/said" 'warning: twilight-backend.service does not start'
	has "$R/tmp/calls" 'stop twilight-backend.service'
}

# An operator's configuration, with the compose file beside .env.
case_installs_beside_env() {
	root_make refused || fail 'a root'
	mv "$R$COMPOSE_DIR/compose.yml" "$R$HOME_DIR"
	printf '[target default]\nhome = %s\ncompose_dir = %s\ncompose_files = compose.yml\n' \
		"$HOME_DIR" "$HOME_DIR" | tee "$R/etc/twilight-deploy.conf" >"$WORK/conf"
	install_run || fail 'exit 0'
	install_run || fail 'a second time, exit 0'
	cmp "$WORK/conf" "$R/etc/twilight-deploy.conf" || fail 'the file as it was'
	! as_deploy sh -c "echo >>$HOME_DIR/compose.yml" || fail 'deploy cannot change compose.yml'
	has "$R/etc/twilight-deploy.conf.new" 'health_tries = 4'
	INSTALL_OPTION=--uninstall
	install_run || fail 'exit 0'
	is 'what differs' '' "$(differences | grep -vE "^.(/etc/twilight-deploy.conf|$HOME_DIR/(source/deploy/)?compose.yml):")"
}

# case_installs_example NAME: of deploy/examples/, as its files say where they belong
case_installs_example() {
	root_make refused || fail 'a root'
	ex_files=$TREE/deploy/examples/$1
	ex_dir=$(sed -n 's/^compose_dir = //p' "$ex_files/twilight-deploy.conf")
	mkdir -p "$R${ex_dir:=/home/deploy/$1/source/deploy}"
	cp "$ex_files/twilight-deploy.conf" "$R/etc/"
	cp "$ex_files/compose.yml" "$R$ex_dir/"
	cp "$ex_files/env.example" "$R/home/deploy/$1/.env"
	install_run || fail 'exit 0'
	cmp "$ex_files/twilight-deploy.conf" "$R/etc/twilight-deploy.conf" || fail 'the file as it was'
	as_deploy twilight-deploy status || fail "deploy's status, exit 0"
}

# A link that the user put in the place of .env is not what the installer changed.
case_uninstall_follows_no_link() {
	root_make refused || fail 'a root'
	install_run || fail 'exit 0'
	as_deploy ln -sf "$CREDENTIALS" "$HOME_DIR/.env" || fail 'a link'
	INSTALL_OPTION=--uninstall
	install_run || fail 'exit 0'
	is 'the file it leads to' 'root:root 600' "$(inside stat -c '%U:%G %a' "$CREDENTIALS")"
}

# The locks of all targets, also one that a setting moved.
case_uninstall_knows_the_locks() {
	root_make refused || fail 'a root'
	install_run TWILIGHT_LOCK=/srv/lock || fail 'exit 0'
	printf '[target web]\nhome = /srv/web\nstate = /srv/state\n' >>"$R/etc/twilight-deploy.conf"
	mkdir -p "$R/srv/web/.twilight-deploy/targets/web" "$R/srv/state"
	INSTALL_OPTION=--uninstall
	for lock in /srv/lock /srv/web/.twilight-deploy/targets/web/up.lock /srv/state/lock; do
		exec 9>"$R$lock"
		flock 9
		! install_run >"$WORK/said" 2>&1 || fail 'an exit code that is not 0'
		exec 9>&-
		has "$WORK/said" "a deploy is running ($lock)"
	done
}

# It does not open a pipe that the user put in the place of the lock.
case_uninstall_opens_no_pipe() {
	root_make refused || fail 'a root'
	install_run || fail 'exit 0'
	as_deploy sh -c "mkdir -m 700 $HOME_DIR/.twilight-deploy && mkfifo $HOME_DIR/.twilight-deploy/lock"
	inside timeout 60 /mnt/deploy/install.sh --uninstall || fail 'exit 0'
}

case_uninstall_without_the_tree() {
	root_make refused || fail 'a root'
	install_run || fail 'exit 0'
	rm -r "$R$HOME_DIR"
	INSTALL_OPTION=--uninstall
	install_run || fail 'exit 0'
	is 'what differs' '' "$(differences | grep -v "^.$HOME_DIR")"
}

# A user who runs something cannot be removed.
case_uninstall_says_who_is_there() {
	root_make refused || fail 'a root'
	install_run || fail 'exit 0'
	# shellcheck disable=SC2016 # its own $$
	as_deploy sh -c 'echo $$ >/tmp/there; exec sleep 600' &
	wait_for 20 test -s "$R/tmp/there"
	INSTALL_OPTION=--uninstall
	! install_run >"$WORK/said" 2>&1 || fail 'an exit code that is not 0'
	kill "$(cat "$R/tmp/there")"
	wait
	has "$WORK/said" 'still runs something'
	[ ! -e "$R/etc/ssh/authorized_keys.d/deploy" ] || fail 'its keys are gone'
	install_run || fail 'again: exit 0'
	is 'what differs' '' "$(differences)"
}

# The user gets the history of the time before back.
case_installs_after_an_uninstall() {
	root_make refused || fail 'a root'
	install_run || fail 'exit 0'
	as_deploy mkdir -m 700 "$HOME_DIR/.twilight-deploy"
	as_deploy touch "$HOME_DIR/.twilight-deploy/history.jsonl"
	(INSTALL_OPTION=--uninstall && install_run) || fail 'exit 0'
	install_run || fail 'exit 0'
	is 'the owners' "deploy deploy" "$(inside stat -c %U "$HOME_DIR/.twilight-deploy" \
		"$HOME_DIR/.twilight-deploy/history.jsonl" | tr '\n' ' ' | sed 's/ $//')"
}

# The unit creates the state folder and the lock, also when nothing was deployed yet.
case_uninstall_after_a_start() {
	root_make refused || fail 'a root'
	install_run || fail 'exit 0'
	unit_command || echo 'there is no such version yet'
	[ -e "$R$STATE/lock" ] || fail 'a lock'
	INSTALL_OPTION=--uninstall
	install_run || fail 'exit 0'
	is 'what differs' '' "$(differences)"
}

case_warns_of_allow_users() {
	root_make refused || fail 'a root'
	echo 'AllowUsers root' >"$R/etc/ssh/sshd_config.d/10-users.conf"
	install_run >"$WORK/said" 2>&1 || fail 'exit 0'
	has "$WORK/said" 'does not name deploy: it cannot log in'
}

# -- in one root, step by step ---------------------------------------------------------------------

# where sshd.sh's client looks for keys and known_hosts
SSHD_DIR=$WORK
client() {
	sshd_client "$@" 2>"$WORK/ssh.err" </dev/null
}

# ask ROLE WORDS…: sets CODE and $OUT
ask() {
	ask_role=$1
	shift
	printf '$ ssh %s: %s\n' "$ask_role" "$*"
	sshd_client "$ask_role" -T deploy@127.0.0.1 -- "$@" >"$OUT" 2>&1 </dev/null
	CODE=$?
	cat "$OUT"
	printf '[%s]\n' "$CODE"
}

env_says() {
	is '.env' "$(printf '# kept\r\nTWILIGHT_VERSION=%s # deployed\nSECRET="a b"' "$1")" \
		"$(cat "$R$HOME_DIR/.env")"
	is 'the owner and mode of .env' 'deploy:deploy 600' \
		"$(inside stat -c '%U:%G %a' "$HOME_DIR/.env")"
}

case_installs() {
	install_run || fail 'exit 0'
	is 'the user' 'deploy:/home/deploy:/bin/sh' "$(inside getent passwd deploy | cut -d: -f1,6,7)"
	is 'the password' '*' "$(inside getent shadow deploy | cut -d: -f2)"
	is 'the groups' 'deploy docker' "$(inside id -nG deploy)"
	is 'owners and modes' "root:root 755 /home/deploy
root:deploy 750 /home/deploy/.docker
root:deploy 1775 $HOME_DIR
deploy:deploy 600 $HOME_DIR/.env
root:root 755 /usr/local/bin/twilight-deploy
root:root 644 /etc/twilight-deploy.conf
root:root 644 /etc/ssh/authorized_keys.d/deploy
root:root 644 /etc/ssh/sshd_config.d/60-twilight-deploy.conf" \
		"$(inside stat -c '%U:%G %a %n' /home/deploy /home/deploy/.docker "$HOME_DIR" "$HOME_DIR/.env" \
			/usr/local/bin/twilight-deploy /etc/twilight-deploy.conf /etc/ssh/authorized_keys.d/deploy \
			/etc/ssh/sshd_config.d/60-twilight-deploy.conf)"
	as_deploy cat /etc/twilight-deploy.conf || fail 'the user reads the configuration'
	for unit in backend cloudflared; do
		[ -L "$R/etc/systemd/system/multi-user.target.wants/twilight-$unit.service" ] ||
			fail "twilight-$unit.service enabled"
	done
}

# A second run changes no byte, owner or time.
case_again_changes_nothing() {
	before=$(tree "$UPPER" | grep -v '^var/log/')
	install_run || fail 'exit 0'
	is 'the host' "$before" "$(tree "$UPPER" | grep -v '^var/log/')"
}

case_units_verify() {
	inside systemd-analyze verify /etc/systemd/system/twilight-backend.service \
		/etc/systemd/system/twilight-cloudflared.service >"$WORK/said" 2>&1
	is 'complaints' '' "$(cat "$WORK/said")"
}

case_sshd_is_as_before_for_others() {
	inside sshd -T -C user=root,host=h,addr=127.0.0.1 >"$WORK/said"
	has "$WORK/said" 'permittty yes'
	has "$WORK/said" 'disableforwarding no'
}

case_user_can_replace_env_only() {
	as_deploy sh -c "cd $HOME_DIR && cp -p .env .env.new && mv .env.new .env" || fail 'a new .env'
	# overlayfs lets nobody rename a folder of a lower layer, so use one of the upper layer
	mkdir "$R$HOME_DIR/roots"
	touch "$R$HOME_DIR/roots/file" "$R$HOME_DIR/.roots"
	for words in "mv $HOME_DIR/roots $HOME_DIR/x" "mv $HOME_DIR/source $HOME_DIR/x" \
		"rm -r $HOME_DIR/roots" "rm -f $HOME_DIR/.roots" "sh -c 'echo x >$HOME_DIR/.roots'" "mv $HOME_DIR $HOME_DIR.x" \
		"rm $COMPOSE_DIR/compose.yml" "touch $COMPOSE_DIR/compose.override.yml" \
		"sh -c 'echo x >>$COMPOSE_DIR/compose.yml'" "touch /home/deploy/.bashrc" \
		"touch /home/deploy/.pam_environment" "mkdir /home/deploy/.ssh" \
		"touch /home/deploy/.docker/config.json" "touch /usr/local/bin/docker" \
		"sh -c 'echo x >>/etc/twilight-deploy.conf'" \
		"touch /etc/ssh/authorized_keys.d/deploy" "touch /etc/systemd/system/twilight-backend.service"; do
		! as_deploy sh -c "$words" || fail "not: $words"
	done
	rm -r "$R$HOME_DIR/roots" "$R$HOME_DIR/.roots"
	is 'what is in the home' ".env${NL}source" "$(find "$R$HOME_DIR" -mindepth 1 -maxdepth 1 -printf '%P\n' | sort)"
}

case_reachable() {
	ask ci
	code 2
	said 'invalid tag:'
}

case_roles() {
	ask ci history
	code 0
	ask ci rollback
	code 2
	install_run DEPLOY_PUBKEY_FILE=/root/operator.pub DEPLOY_ACTOR=ops DEPLOY_ALLOW=all \
		DEPLOY_FROM=any DEPLOY_EXPIRES=20991231 || fail 'exit 0'
	is 'keys' 2 "$(grep -c ssh-ed25519 "$R/etc/ssh/authorized_keys.d/deploy")"
	ask operator recover
	code 0
	said 'nothing was interrupted'
	ask ci status
	code 0
}

# `docker --config … login` writes a file that only root can read; the next run changes that.
case_registry_login_is_read() {
	(umask 077 && echo '{"auths": {}}' >"$R/home/deploy/.docker/config.json")
	install_run || fail 'exit 0'
	as_deploy cat /home/deploy/.docker/config.json || fail 'the user reads it'
	! as_deploy sh -c 'echo {} >/home/deploy/.docker/config.json' || fail 'and cannot write it'
	rm "$R/home/deploy/.docker/config.json"
}

case_from_counts() {
	install_run DEPLOY_FROM=192.0.2.7 || fail 'exit 0'
	ask ci status
	code 255
	install_run || fail 'exit 0'
	ask ci status
	code 0
}

# What deploy/README.md says about revoking: remove the line, end open connections.
case_revoked_key_has_its_open_connection() {
	cp -p "$R/etc/ssh/authorized_keys.d/deploy" "$WORK/keys"
	client ci -M -N -f -o ControlPath="$WORK/open" deploy@127.0.0.1 || fail 'a connection'
	sed -i '/ ci$/d' "$R/etc/ssh/authorized_keys.d/deploy"
	ask ci status
	code 255
	client ci -o ControlPath="$WORK/open" deploy@127.0.0.1 version || fail 'the open one asks'
	# of this sshd only, unlike pkill
	kill "$(pgrep -U "$(inside id -u deploy)" -P "$(pgrep -d, -P "$SSHD_PID")" sshd)"
	! client ci -o ControlPath="$WORK/open" deploy@127.0.0.1 version || fail 'no more'
	cp -p "$WORK/keys" "$R/etc/ssh/authorized_keys.d/deploy"
}

case_deploys() {
	ask ci deploy v1.0.0
	code 0
	env_says v1.0.0
	is 'what serves' v1.0.0 "$(version_served)"
	ask operator history
	said ' ci'
	has "$R$HOME_DIR/.twilight-deploy/history.jsonl" \
		"$(ssh-keygen -l -f "$WORK/ci.pub" | cut -d' ' -f2)"
}

case_rolls_back() {
	ask ci deploy v1.1.0
	code 1
	env_says v1.0.0
	is 'what serves' v1.0.0 "$(version_served)"
	ask ci deploy v1.2.0
	code 0
	ask operator rollback
	code 0
	env_says v1.0.0
}

# The file has the settings: a prompt needs none.
case_prompt_needs_no_settings() {
	as_deploy twilight-deploy status >"$WORK/said" || fail 'exit 0'
	has "$WORK/said" 'healthy, v1.0.0'
	! inside twilight-deploy deploy v1.0.0 >"$WORK/said" 2>&1 || fail 'not as root'
	has "$WORK/said" 'sudo -u deploy'
}

# What systemd would run, as its user.
unit_command() {
	unit_file=$R/etc/systemd/system/twilight-backend.service
	as_deploy env -i PATH=$ROOT_PATH HOME=/home/deploy \
		sh -c "exec $(sed -n 's/^ExecStart=//p' "$unit_file")"
}

case_unit_starts_what_env_says() {
	before=$(container_now)
	unit_command || fail 'exit 0'
	is 'the container, untouched' "$before" "$(container_now)"
	docker rm -f "$(containers)" >/dev/null
	unit_command || fail 'exit 0'
	wait_for 20 serves v1.0.0 || fail "v1.0.0 serves, not: $(version_served)"
}

serves() { [ "$(version_served)" = "$1" ]; }

# A deploy that runs has the lock; the unit fails, and systemd tries again.
case_unit_does_not_disturb_a_deploy() {
	docker rm -f "$(containers)" >/dev/null
	exec 9<"$R$STATE/lock"
	flock 9
	unit_command
	is 'the exit code' 3 $?
	is 'containers meanwhile' '' "$(containers -a)"
	exec 9<&-
	unit_command || fail 'exit 0'
	wait_for 20 serves v1.0.0 || fail "v1.0.0 serves, not: $(version_served)"
}

# From version 0.1.0, which kept the settings in units and keys: the same state folder,
# history and lock.
case_upgrade_keeps_the_state() {
	conf=$R/etc/twilight-deploy.conf
	cp "$conf" "$WORK/conf"
	history=$(cat "$R$STATE/history.jsonl")
	keys=$(sed '/ ci$/!d' "$R/etc/ssh/authorized_keys.d/deploy")
	old_install "$R" "$WORK/ci.pub" "TWILIGHT_HOME=$HOME_DIR" "TWILIGHT_DISK_MIN=1M" \
		"TWILIGHT_HEALTH_URL=http://127.0.0.1:$PORT/healthz" TWILIGHT_HEALTH_TRIES=4 \
		TWILIGHT_HEALTH_SLEEP=1 TWILIGHT_HEALTH_SETTLE=1
	inside env PROGRAM=/root/twilight-deploy /mnt/deploy/install.sh || fail 'exit 0'
	cmp "$WORK/conf" "$conf" || fail 'the same settings'
	is 'the line' "$keys" "$(sed 1d "$R/etc/ssh/authorized_keys.d/deploy")"
	is 'the history' "$history" "$(cat "$R$STATE/history.jsonl")"
	[ ! -L "$R/etc/systemd/system/multi-user.target.wants/twilight-recover.service" ] ||
		fail 'the second unit is disabled'
	ask ci status
	code 0
	said 'healthy, v1.0.0'
	as_deploy twilight-deploy rollback v1.2.0 || fail 'exit 0'
	env_says v1.2.0
	as_deploy twilight-deploy rollback v1.0.0 || fail 'exit 0'
	# the operator's key again, and what install_run sets
	install_run DEPLOY_PUBKEY_FILE=/root/operator.pub DEPLOY_ACTOR=ops DEPLOY_ALLOW=all \
		DEPLOY_FROM=any || fail 'exit 0'
}

# As deploy/README.md has it; a key reaches it only with DEPLOY_TARGETS.
case_second_target() {
	free_port
	web=/home/deploy/web
	web_dir=$web/source/deploy
	cp -p "$R/etc/twilight-deploy.conf" "$WORK/conf"
	trap 'docker rm -f "$(PROJECT=${PROJECT}web containers -a)" >/dev/null
		docker network rm "${PROJECT}web_default" >/dev/null
		rm -r "$R$web" && cp -p "$WORK/conf" "$R/etc/twilight-deploy.conf"
		install_run' EXIT
	inside sh -e <<-END || fail 'the commands'
		mkdir -p $web_dir
		sed 's/^name: .*/&web/; s/ data:/ web:/; s/$PORT:8080/$FREE_PORT:8080/' $COMPOSE_DIR/compose.yml >$web_dir/compose.yml
		echo TWILIGHT_VERSION=v1.0.0 >/tmp/web.env
		install -o deploy -g deploy -m 600 /tmp/web.env $web/.env
		chown root:deploy $web && chmod 1775 $web
	END
	cat >>"$R/etc/twilight-deploy.conf" <<-END

		[target web]
		home = $web
		services = web
		tag_prefix = web-
		strip_prefix = yes
		health_url = http://localhost:$FREE_PORT/
		disk_min = 1M
	END
	ask ci deploy web-v1.2.0
	code 2
	install_run DEPLOY_PUBKEY_FILE=/root/operator.pub DEPLOY_ACTOR=ops DEPLOY_ALLOW=all \
		DEPLOY_TARGETS=all DEPLOY_FROM=any || fail 'exit 0'
	ask operator deploy web-v1.2.0
	code 0
	has "$R$web/.env" TWILIGHT_VERSION=v1.2.0
	env_says v1.0.0
	as_deploy twilight-deploy status >"$WORK/said" || fail 'exit 0'
	has "$WORK/said" 'healthy, v1.2.0'
	has "$WORK/said" 'healthy, v1.0.0'
	ask ci status
	code 0
	said_not 'v1.2.0'
}

# -- what a key cannot do ----------------------------------------------------------------------------------------

case_no_shell() {
	for words in 'sh -c id' id 'deploy v1.0.0;id' 'status;id' "$(printf 'status\nid')"; do
		ask ci "$words"
		code 2
		! grep -q uid= "$OUT" || fail 'no shell'
	done
}

case_no_pty() {
	client ci -tt deploy@127.0.0.1 status >"$OUT"
	has "$WORK/ssh.err" 'PTY allocation request failed'
}

case_no_files() {
	for how in '' -O; do
		# shellcheck disable=SC2086 # -O or nothing
		! timeout 60 scp $how -F none -i "$WORK/ci" -P "$SSHD_PORT" -o BatchMode=yes -o IdentitiesOnly=yes \
			-o UserKnownHostsFile="$WORK/known_hosts" "$WORK/ci.pub" \
			deploy@127.0.0.1:/tmp/copied 2>&1 || fail 'no scp'
	done
	[ ! -e "$R/tmp/copied" ] || fail 'nothing copied'
	! client ci -s deploy@127.0.0.1 sftp >"$OUT" || fail 'no sftp'
}

# reaches_socket ROLE: does the engine answer through a forwarded socket?
reaches_socket() {
	rm -f "$WORK/s"
	SSHD_WRAP='exec' sshd_client "$1" -N -L "$WORK/s:/run/docker.sock" deploy@127.0.0.1 \
		>"$WORK/ssh.err" 2>&1 </dev/null &
	reach_pid=$!
	wait_for 20 socket_or_dead
	reach_says=$(curl -s -m 10 --unix-socket "$WORK/s" http://docker/_ping)
	end_process "$reach_pid" 5
	cat "$WORK/ssh.err"
	[ "$reach_says" = OK ]
}
socket_or_dead() { [ -S "$WORK/s" ] || process_gone "$reach_pid"; }

case_no_forwarding() {
	! reaches_socket ci || fail 'no docker socket'
	! client ci -W "$ENGINE_REGISTRY" deploy@127.0.0.1 >"$OUT" || fail 'no -W'
	has "$WORK/ssh.err" 'stdio forwarding failed'
	for way in "$WORK/remote.sock:/run/docker.sock" "0:127.0.0.1:$PORT"; do
		! SSHD_WRAP='timeout 20' client ci -N -o ExitOnForwardFailure=yes -R "$way" deploy@127.0.0.1 ||
			fail 'no -R'
		has "$WORK/ssh.err" 'remote port forwarding failed'
	done
}

case_no_rc_files() {
	mkdir "$R/home/deploy/.ssh"
	echo 'touch /tmp/rc-ran' >"$R/home/deploy/.ssh/rc"
	cp "$WORK/stranger.pub" "$R/home/deploy/.ssh/authorized_keys"
	for name in .profile .bashrc .bash_profile; do
		echo 'touch /tmp/rc-ran' >"$R/home/deploy/$name"
	done
	ask ci status
	code 0
	ask stranger status
	code 255
	rm -r "$R/home/deploy/.ssh" "$R/home/deploy/.profile" "$R"/home/deploy/.bash*
	[ ! -e "$R/tmp/rc-ran" ] || fail 'no rc file run'
}

# The forced command of this key is env: it prints the variables that came through.
case_no_environment() {
	printf 'restrict,command="/usr/bin/env" %s\n' "$(cat "$WORK/stranger.pub")" \
		>>"$R/etc/ssh/authorized_keys.d/deploy"
	client stranger -o 'SetEnv=TWILIGHT_HEALTH_URL=x DOCKER_HOST=x LD_PRELOAD=x ENV=x PATH=x SSH_ORIGINAL_COMMAND=x LC_PASSED=x' \
		-T deploy@127.0.0.1 >"$OUT"
	cat "$OUT"
	sed -i '$d' "$R/etc/ssh/authorized_keys.d/deploy"
	said 'LC_PASSED=x'
	is 'what came through' LC_PASSED=x "$(grep '=x$' "$OUT")"
}

# Why `restrict` is in the key's line, and again in sshd's file.
case_command_without_restrict_reaches_the_socket() {
	printf 'command="/usr/local/bin/twilight-deploy" %s\n' "$(cat "$WORK/stranger.pub")" >"$R/etc/ssh/bare"
	printf 'restrict,command="/usr/local/bin/twilight-deploy" %s\n' "$(cat "$WORK/ci.pub")" >>"$R/etc/ssh/bare"
	cp "$R/etc/ssh/authorized_keys.d/deploy" "$WORK/keys"
	sed -n 1p "$R/etc/ssh/bare" >>"$R/etc/ssh/authorized_keys.d/deploy"
	! reaches_socket stranger || fail "with sshd's file: no socket, even without restrict"
	cp "$WORK/keys" "$R/etc/ssh/authorized_keys.d/deploy"

	printf 'UsePAM yes\nAuthorizedKeysFile /etc/ssh/bare\n' >"$R/etc/ssh/plain"
	sshd_up -f /etc/ssh/plain || fail 'a second sshd'
	trap 'end_process "$SSHD_PID" 10' EXIT
	! reaches_socket ci || fail 'with restrict: no socket'
	reaches_socket stranger || fail 'without restrict and without the file: the socket (or this test shows nothing)'
	rm "$R/etc/ssh/bare" "$R/etc/ssh/plain"
}

# -- uninstall ----------------------------------------------------------------------------------------------

case_uninstall_waits_for_a_deploy() {
	INSTALL_OPTION=--uninstall
	before=$(tree "$UPPER" | grep -v '^var/log/')
	exec 9<"$R$HOME_DIR/.twilight-deploy/lock"
	flock 9
	! install_run >"$WORK/said" 2>&1 || fail 'an exit code that is not 0'
	has "$WORK/said" 'a deploy is running'
	is 'the host' "$before" "$(tree "$UPPER" | grep -v '^var/log/')"
}

# differences: what differs from the host before the installer; but for logs and the
# copies that useradd keeps (passwd- …).
differences() {
	mkdir -p "$WORK/ref"
	mountpoint -q "$WORK/ref" || mount -t overlay -o "lowerdir=$WORK/host/upper:/" overlay "$WORK/ref"
	(cd "$UPPER" && find . -mindepth 1 ! -path './var/log/*' ! -path './etc/*-' ! -path './etc/.pwd.lock') |
		while read -r path; do
			now=$(stat -c '%F %a %u:%g %N' "$R/$path" 2>/dev/null | sed "s|$R||")
			then=$(stat -c '%F %a %u:%g %N' "$WORK/ref/$path" 2>/dev/null | sed "s|$WORK/ref||")
			if [ "$now" != "$then" ]; then
				echo "$path: '$then' is now '$now'"
			elif [ -f "$R/$path" ] && ! cmp -s "$R/$path" "$WORK/ref/$path"; then
				echo "$path: other content"
			fi
		done
}

case_uninstall_leaves_nothing() {
	INSTALL_OPTION=--uninstall
	install_run || fail 'exit 0'
	is 'the version in .env stays' v1.0.0 "$(sed -n 's/^TWILIGHT_VERSION=\([^ ]*\).*/\1/p' "$R$HOME_DIR/.env")"
	# and the history, as it reports
	is 'what differs' ".$HOME_DIR/.env: other content" \
		"$(differences | grep -v "^.$HOME_DIR/.twilight-deploy")"
	is 'the history' root:root "$(inside stat -c %U:%G "$HOME_DIR/.twilight-deploy/history.jsonl")"
	install_run || fail 'a second time: exit 0'
}

# -- main --------------------------------------------------------------------------------------------

NAME=install
free_port
PORT=$FREE_PORT
PROJECT=install$$
HOME_DIR=/home/deploy/twilight
STATE=$HOME_DIR/.twilight-deploy
COMPOSE_DIR=$HOME_DIR/source/deploy
REPOSITORY=install/demo
REPO=$ENGINE_REGISTRY/$REPOSITORY
SPARE=$WORK/spare
OUT=$WORK/ask
mkdir -p "$SPARE" "$WORK/image"
SSHD_PID=

end() {
	trap '' INT TERM HUP
	sshd_stop
	for id in $(containers -a); do
		docker rm -f "$id" >/dev/null
	done
	docker network rm "${PROJECT}_default" >/dev/null 2>&1
	for id in $(docker image ls -q "$REPO"); do
		docker image rm -f "$id" >/dev/null
	done
}
trap end EXIT
trap 'exit 130' INT TERM HUP

for key in ci operator stranger; do
	ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$WORK/$key"
done
if ! need_package gcc gcc libc6-dev ||
	! gcc -std=c11 -D_GNU_SOURCE -O2 -static -o "$WORK/image/service" "$TREE/mocks/service.c" ||
	! (publish v1.0.0 healthy && publish v1.1.0 never && publish v1.2.0 healthy) >/dev/null ||
	! host_make host_service; then
	echo 'FAIL the throw-away host (see above)'
	exit 1
fi
refusals
apart leaves_sshd_alone full_disk
apart leaves_sshd_alone ended
apart sshd_knows_of_a_run_that_failed
apart warns_of_allow_users
apart uninstall_follows_no_link
apart uninstall_opens_no_pipe
apart uninstall_knows_the_locks
apart uninstall_without_the_tree
apart uninstall_says_who_is_there
apart installs_after_an_uninstall
apart uninstall_after_a_start
apart tells_systemd
apart starts_nothing_yet
apart installs_beside_env
for name in twilight ghosthands spryte; do
	apart installs_example $name
done
for name in mv useradd usermod systemctl; do
	apart interrupted_is_undone $name
done
if ! root_make story; then
	echo 'FAIL the throw-away root (see above)'
	exit 1
fi
try installs
try again_changes_nothing
if command -v systemd-analyze >/dev/null; then
	try units_verify
else
	skip 'units_verify: no systemd-analyze here'
fi
try sshd_is_as_before_for_others
try user_can_replace_env_only
if sshd_up; then
	for name in reachable roles registry_login_is_read from_counts revoked_key_has_its_open_connection deploys rolls_back \
		prompt_needs_no_settings unit_starts_what_env_says unit_does_not_disturb_a_deploy upgrade_keeps_the_state second_target no_shell no_pty no_files no_forwarding no_rc_files no_environment \
		command_without_restrict_reaches_the_socket; do
		try $name
	done
else
	cat "$WORK/sshd.log"
	echo 'FAIL sshd does not start (see above)'
fi
sshd_stop
try again_changes_nothing
try uninstall_waits_for_a_deploy
try uninstall_leaves_nothing
