#!/bin/sh
# install.sh               makes this host ready for deploys over ssh
# install.sh --uninstall   takes away what it made, and gives back what it changed
#
# Run it as root, again whenever a setting changes: it does what is missing, nothing
# twice.  DRY_RUN=1 DESTDIR=FOLDER writes all files below FOLDER instead, prints the
# commands, needs no root and leaves the system alone.
#
# Settings, by environment:
#   DEPLOY_USER=deploy          who deploys; made when there is no such user
#   DEPLOY_PUBKEY_FILE          a public key that may deploy; without it none is added
#   DEPLOY_ACTOR=ci             the name of that key in the history
#   DEPLOY_ALLOW=deploy,rollback,status    what it may ask for; `all` for an operator
#   DEPLOY_FROM=127.0.0.1,::1   from where: behind a tunnel, the loopback; or `any`
#   DEPLOY_EXPIRES              until when: YYYYMMDD[HHMM[SS]][Z]
#   PROGRAM=build/twilight-deploy          what becomes /usr/local/bin/twilight-deploy
#   TWILIGHT_HOME=/home/deploy/twilight    holds .env and source/deploy/compose.yml
#   TWILIGHT_…                  any other setting of `twilight-deploy help settings`
#   TUNNEL_UUID                 a Cloudflare tunnel to run; without it none is set up
#   TUNNEL_CREDENTIALS=/etc/cloudflared/UUID.json
#   HTTP_HOSTNAME, SSH_HOSTNAME, HTTP_PORT=8081, ACCESS_TEAM, ACCESS_AUD   its rules
set -eu
umask 022
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH

HERE=$(cd "$(dirname "$0")" && pwd)
NL='
'
MARK='# Installed by deploy/install.sh of twilight-deploy'
MADE=/var/lib/twilight-deploy/made
BIN=/usr/local/bin/twilight-deploy
DROPIN=/etc/ssh/sshd_config.d/60-twilight-deploy.conf
TUNNEL_CONFIG=/etc/cloudflared/twilight.yml
SYSTEMD=/etc/systemd/system
UNITS='twilight-recover.service twilight-backend.service'

say() { printf '%s\n' "$*" || :; }
warn() { printf 'install.sh: warning: %s\n' "$*" >&2 || :; }
refuse() {
	printf 'install.sh: refused: %s\n' "$*" >&2
	exit 1
}
dry() { [ "${DRY_RUN:-0}" != 0 ]; }

# shellcheck source=deploy/install-checks.sh
. "$HERE/install-checks.sh"

# -- the ways to change the host; what they make is noted, to be undone --------------

# made WORDS…: noted before it is made, so that what is interrupted can be undone.
made() {
	! grep -qsxF "$*" "$ROOT$MADE" || return 0
	[ -d "$ROOT${MADE%/*}" ] || mkdir -p "$ROOT${MADE%/*}"
	printf '%s\n' "$*" >>"$ROOT$MADE"
}

run() {
	say "run     $*"
	dry || "$@"
}

# own PATH OWNER:GROUP MODE: what was there before gets its owner and mode back.
own() {
	own_is=$(stat -c '%U:%G %a' "$ROOT$1")
	if dry; then
		chmod "$3" "$ROOT$1"
	elif [ "$own_is" != "$2 $3" ]; then
		grep -qsE "^(folder|file|was [^ ]+ [^ ]+) $1\$" "$MADE" ||
			made was "$(stat -c '%u:%g %a' "$1") $1"
		chown -h "$2" "$1"
		chmod "$3" "$1"
	fi
}

# folder PATH OWNER:GROUP MODE
folder() {
	say "folder  $3 $2 $1"
	if [ ! -d "$ROOT$1" ]; then
		made folder "$1"
		mkdir -p "$ROOT$1"
	fi
	own "$1" "$2" "$3"
}

# file PATH MODE FROM: root's; renamed into place, and left alone where it is the same.
# CHANGED is set when it was not.
file() {
	[ -d "$ROOT${1%/*}" ] || folder "${1%/*}" root:root 755
	say "file    $2 root:root $1"
	made file "$1"
	if ! cmp -s "$3" "$ROOT$1"; then
		cp "$3" "$ROOT$1.new"
		chmod "$2" "$ROOT$1.new"
		mv "$ROOT$1.new" "$ROOT$1"
		CHANGED=1
	fi
	own "$1" root:root "$2"
}

# render TEMPLATE NAME=VALUE…: {{NAME}} becomes VALUE, whatever is in it.
render() {
	render_from=$HERE/$1
	shift
	# shellcheck disable=SC2016 # the $ are awk's
	env -i PATH="$PATH" "$@" awk '{
		line = ""
		while (match($0, /[{][{][A-Z_]+[}][}]/)) {
			name = substr($0, RSTART + 2, RLENGTH - 4)
			if (!(name in ENVIRON))
				exit 1
			line = line substr($0, 1, RSTART - 1) ENVIRON[name]
			$0 = substr($0, RSTART + RLENGTH)
		}
		print line $0
	}' "$render_from" || refuse "$render_from: a word in {{}} has no value"
}

# -- sshd ----------------------------------------------------------------------------

# The first change, for it is what may still be refused: nothing else was touched then.
setup_sshd() {
	render sshd.conf USER="$DEPLOY_USER" >"$WORK/sshd.all"
	# an option that it does not know is what sshd names first
	if ! command -v sshd >/dev/null ||
		sshd -t -o PerSourcePenaltyExemptList=127.0.0.1 2>&1 | grep -q 'Bad configuration option'; then
		sed 's/^PerSourcePenalty/#&/' "$WORK/sshd.all" >"$WORK/sshd"
	else
		cp "$WORK/sshd.all" "$WORK/sshd"
	fi
	dry || cmp -s "$WORK/sshd" "$DROPIN" || sshd_try
	file "$DROPIN" 644 "$WORK/sshd"
}

# Put there whole, asked, and put back as it was when sshd does not take it or this is
# interrupted: with a file that it does not take, sshd does not start again.
sshd_try() {
	[ ! -e "$DROPIN" ] || ln -f "$DROPIN" "$DROPIN.old"
	trap 'sshd_back; rm -rf "$WORK"' EXIT
	made file "$DROPIN"
	cp "$WORK/sshd" "$DROPIN.new"
	chmod 644 "$DROPIN.new"
	mv "$DROPIN.new" "$DROPIN"
	if ! try_says=$(sshd -t 2>&1) || ! try_says=$(sshd_in_force); then
		refuse "sshd does not take $DROPIN, which is as it was again: $try_says"
	fi
	trap 'rm -rf "$WORK"' EXIT
	rm -f "$DROPIN.old"
	SSHD_CHANGED=1
}

sshd_back() {
	rm -f "$DROPIN.new" "$DROPIN"
	[ ! -e "$DROPIN.old" ] || mv "$DROPIN.old" "$DROPIN"
	# the first note of all
	grep -qsvxF "file $DROPIN" "$MADE" || { rm -f "$MADE" && rmdir "${MADE%/*}"; }
}

# What stands in the file counts for nothing where an earlier one says otherwise.
sshd_in_force() {
	sed -n 's/^[[:space:]]*\([A-Z][A-Za-z]* .*\)/\1/p' "$DROPIN" |
		grep -vE '^(Match|PerSource)' | tr '[:upper:]' '[:lower:]' >"$WORK/wanted"
	for force_from in $(sshd_clients); do
		sshd_says "$force_from" >"$WORK/says"
		force_key=$(grep -vxFf "$WORK/says" "$WORK/wanted" | cut -d' ' -f1 | tr '\n' ' ')
		[ -z "$force_key" ] || {
			echo "another file sets ${force_key}for clients from $force_from, or sshd_config does not include this one at its top"
			return 1
		}
	done
}

# A daemon hands its own configuration to the connections that it takes.
sshd_reload() {
	if systemd_runs; then
		for reload_unit in ssh.service sshd.service; do
			! systemctl --quiet is-active $reload_unit || {
				run systemctl reload $reload_unit
				return
			}
		done
	fi
	dry || say 'note    let sshd read its configuration anew'
}

# -- the rest --------------------------------------------------------------------------

setup_user() {
	if ! dry && ! getent group docker >/dev/null; then
		made group docker
		run groupadd --system docker
	fi
	if dry || ! id "$DEPLOY_USER" >/dev/null 2>&1; then
		made user "$DEPLOY_USER"
		run useradd --system --user-group --home-dir "$USER_HOME" --no-create-home \
			--shell /bin/sh --password '*' --comment 'deploys over ssh' "$DEPLOY_USER"
	fi
	if dry || ! id -nG "$DEPLOY_USER" | grep -qw docker; then
		made member "$DEPLOY_USER" docker
		run usermod --append --groups docker "$DEPLOY_USER"
	fi
}

# The user may replace .env and make names beside it (its own); what root owns it can
# neither change nor rename, for the folder is sticky.  Its home is root's: there are
# no dotfiles that it could write.
setup_tree() {
	folder "$USER_HOME" root:root 755
	folder "$USER_HOME/.docker" "root:$DEPLOY_USER" 750
	[ ! -f "$ROOT$USER_HOME/.docker/config.json" ] ||
		own "$USER_HOME/.docker/config.json" "root:$DEPLOY_USER" 640
	# .env first, and last on the way back: while it is seen to, the folder is not the user's
	if [ -f "$ROOT$ENV_FILE" ]; then
		own "$ENV_FILE" "$DEPLOY_USER:$DEPLOY_USER" 600
	fi
	folder "$TWILIGHT_HOME" "root:$DEPLOY_USER" 1775
	# root's since an uninstall
	setup_state=$TWILIGHT_HOME/.twilight-deploy
	[ "$(stat -c '%u %F' "$ROOT$setup_state" 2>/dev/null)" != '0 directory' ] || dry ||
		run chown -hR "$DEPLOY_USER:$DEPLOY_USER" "$setup_state"
}

# Our line once: in the place of one with the same key, or at the end.
setup_key() {
	[ -n "$KEY" ] || return 0
	key_path=/etc/ssh/authorized_keys.d/$DEPLOY_USER
	{
		cat "$ROOT$key_path" 2>/dev/null ||
			printf '%s; a line is a key: to revoke it, remove the line.\n' "$MARK"
	} | BLOB=$KEY_BLOB LINE=$KEY_LINE awk '
		index($0, ENVIRON["BLOB"]) {
			if (!there++)
				print ENVIRON["LINE"]
			next
		}
		{ print }
		END { if (!there) print ENVIRON["LINE"] }' >"$WORK/keys"
	file "$key_path" 644 "$WORK/keys"
}

setup_units() {
	for unit in $UNITS; do
		unit_environment=$ENVIRONMENT
		# compose reads TWILIGHT_… of its environment before .env: it gets none
		[ "$unit" != twilight-backend.service ] ||
			unit_environment=${TWILIGHT_PROJECT:+Environment=COMPOSE_PROJECT_NAME=$TWILIGHT_PROJECT}
		tunnel_render "systemd/$unit" USER="$DEPLOY_USER" HOME="$TWILIGHT_HOME" \
			COMPOSE_DIR="$COMPOSE_DIR" DOCKER="$DOCKER" \
			LOCK="${TWILIGHT_LOCK:-$TWILIGHT_HOME/.twilight-deploy/lock}" \
			ENVIRONMENT="$unit_environment" >"$WORK/unit"
		CHANGED=
		[ "$unit" != twilight-cloudflared.service ] ||
			file "$TUNNEL_CONFIG" 644 "$WORK/tunnel"
		file "$SYSTEMD/$unit" 644 "$WORK/unit"
		made unit "$unit"
		[ -z "$CHANGED" ] || UNITS_CHANGED="$UNITS_CHANGED $unit"
	done
}

# Only the tunnel keeps running with what it was started with.
start_verb() {
	case "$1 $UNITS_CHANGED " in
	*cloudflared*\ "$1 "*) echo restart ;;
	*) echo start ;;
	esac
}

systemd_runs() { ! dry && [ -d /run/systemd/system ]; }

start() {
	# shellcheck disable=SC2086 # a list
	run systemctl --quiet enable $UNITS || warn 'the units are not enabled (see above)'
	if ! systemd_runs; then
		dry || say 'note    systemd does not run here: nothing is started'
		return 0
	fi
	run systemctl daemon-reload
	for unit in $UNITS; do
		run systemctl "$(start_verb "$unit")" "$unit" ||
			warn "$unit does not start: systemctl status $unit"
	done
}

# Only looked at: a first release may still be to come.
look() {
	! dry || return 0
	look_url=${TWILIGHT_HEALTH_URL:-http://localhost:8081/healthz}
	runuser -u "$DEPLOY_USER" -- env -i PATH="$PATH" sh -c "$SETTINGS$BIN --local status" </dev/null ||
		warn "the program is not content as $DEPLOY_USER (see above)"
	! command -v curl >/dev/null || curl -fsS -o /dev/null -m 5 "$look_url" ||
		warn "$look_url does not answer well (yet)"
	for look_from in $(sshd_clients); do
		sshd_says "$look_from" >"$WORK/says"
		! grep -q '^allowusers ' "$WORK/says" || grep -qx "allowusers $DEPLOY_USER" "$WORK/says" ||
			warn "AllowUsers in sshd's configuration does not name $DEPLOY_USER: it cannot log in from $look_from"
	done
	! systemd-analyze cat-config systemd/logind.conf 2>/dev/null | grep -qix 'KillUserProcesses=\(yes\|true\|1\|on\)' ||
		warn "logind kills what a lost connection leaves (KillUserProcesses=yes): add $DEPLOY_USER to KillExcludeUsers="
}

next_steps() {
	say "$NL""Next:"
	[ -n "$KEY" ] ||
		say "- a key: DEPLOY_PUBKEY_FILE=key.pub $0"
	say "- a private registry: docker --config $USER_HOME/.docker login REGISTRY, then $0 again"
	[ -n "${TUNNEL_UUID-}" ] ||
		say "- the tunnel: TUNNEL_UUID=… $0, or $HERE/cloudflared-ssh-ingress.yml.snippet into one that is there"
	say "- Cloudflare Access before ${SSH_HOSTNAME:-the ssh host name}: one policy, action Service Auth (https://one.dash.cloudflare.com)"
	say "- try it: ssh $DEPLOY_USER@HOST status${KEY:+ (the key is good from: $DEPLOY_FROM; see DEPLOY_FROM)}"
}

# -- back --------------------------------------------------------------------------------

uninstall() {
	[ -f "$ROOT$MADE" ] || {
		say 'nothing of this script is here'
		return
	}
	read -r _ DEPLOY_USER TWILIGHT_HOME <<-LINE
		$(grep '^for ' "$ROOT$MADE")
	LINE
	for back_lock in "$TWILIGHT_HOME/.twilight-deploy/lock" "$TWILIGHT_HOME/.twilight-deploy/up.lock" \
		"$(sed -n 's/^Environment="TWILIGHT_LOCK=\(.*\)"$/\1/p' "$SYSTEMD/twilight-recover.service" 2>/dev/null)"; do
		dry || [ ! -f "$back_lock" ] || flock -n "$back_lock" true ||
			refuse "a deploy is running ($back_lock): wait for its end"
	done
	cp "$ROOT$MADE" "$WORK/made"
	# the last first; unread by what is run
	sed '1!G;h;$!d' "$WORK/made" >"$WORK/back"
	while read -r back_kind back_what <&3; do
		# shellcheck disable=SC2086 # words
		"undo_$back_kind" $back_what
	done 3<"$WORK/back"
	rm -f "$ROOT$MADE"
	rmdir "$ROOT${MADE%/*}"
	! systemd_runs || run systemctl daemon-reload
	sshd_reload
}

undo_for() { :; }
undo_unit() { run systemctl --quiet disable --now "$1" || :; }
undo_member() { ! getent group "$2" | grep -qw "$1" || run gpasswd -d "$1" "$2"; }
undo_group() { ! getent group "$1" >/dev/null || run groupdel "$1"; }

undo_file() {
	say "remove  $1"
	rm -f "$ROOT$1" "$ROOT$1.new"
}

undo_folder() {
	if rmdir "$ROOT$1" 2>/dev/null; then
		say "remove  $1"
	elif [ -d "$ROOT$1" ]; then
		say "keep    $1, for it holds: $(cd "$ROOT$1" && find . -mindepth 1 -maxdepth 1 | sort | tr '\n' ' ')"
	fi
}

# A link there is not what was changed: the user may have put it there, and what it
# leads to would get the mode.
undo_was() {
	{ [ -e "$ROOT$3" ] && [ ! -L "$ROOT$3" ]; } || return 0
	say "keep    $3, as it was before: $1 $2"
	dry || { chown -h "$1" "$3" && chmod "$2" "$3"; }
}

# The history is what tells who deployed what: it stays, and is root's.  Where there is
# none, the units' start has left a lock.
undo_user() {
	! dry && id "$1" >/dev/null 2>&1 || return 0
	if [ -d "$TWILIGHT_HOME" ]; then
		find "$TWILIGHT_HOME" -user "$1" -exec chown -h root:root {} +
		back_state=$TWILIGHT_HOME/.twilight-deploy
		[ -L "$back_state" ] || rm -f "$back_state/lock"
		rmdir "$back_state" 2>/dev/null || [ ! -d "$back_state" ] ||
			say "keep    $back_state, the history"
	fi
	run userdel "$1" ||
		refuse "user $1 still runs something, perhaps an open connection: pkill -u $1, then --uninstall again"
}

# -- the order -----------------------------------------------------------------------------

case ${1-} in
'' | --uninstall) ;;
-h | --help)
	sed -n '2,/^set -eu/{/^set/d;s/^# \{0,1\}//;p;}' "$0"
	exit
	;;
*) refuse "no such option: $1 (there is --uninstall, and --help)" ;;
esac
check_call
# a client that leaves, perhaps with the tunnel that is restarted, ends nothing half-way
trap '' HUP PIPE
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
SSHD_CHANGED=
UNITS_CHANGED=

if [ "${1-}" = --uninstall ]; then
	uninstall
	exit
fi
check_program
check_user
check_home
check_settings
check_key
check_tunnel
check_foreign
check_host

setup_sshd
made for "$DEPLOY_USER $TWILIGHT_HOME"
# at once: a second run, after one that ended half-way, finds the file unchanged
[ -z "$SSHD_CHANGED" ] || sshd_reload
setup_user
setup_tree
file "$BIN" 755 "$PROGRAM"
setup_key
setup_units
start
look
next_steps
