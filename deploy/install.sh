#!/bin/sh
# install.sh               prepare this host for deploys over ssh
# install.sh --dry-run     show what would be written and run
# install.sh --uninstall   remove what it created, restore what it changed
#
# Run it as root, and again when something changes: it does only what is missing.
# --dry-run (or DRY_RUN=1) needs no root and changes nothing; with DESTDIR=FOLDER it
# writes the files below FOLDER.
#
# Variables:
#   DEPLOY_USER=deploy          the user who deploys; created if there is none
#   DEPLOY_PUBKEY_FILE          a public key to add; without it no key is added
#   DEPLOY_ACTOR=ci             the name of that key in the history
#   DEPLOY_ALLOW                its verbs, or `all`; default: those that are open to
#                               every key (`twilight-deploy help`), without rollback
#   DEPLOY_TARGETS              its targets, or `all`; default: the target `default`
#   DEPLOY_FROM=127.0.0.1,::1   addresses it may come from, or `any`; the default is
#                               for a tunnel that ends on this host
#   DEPLOY_EXPIRES              when it expires: YYYYMMDD[HHMM[SS]][Z]
#   PROGRAM=build/twilight-deploy          installed as /usr/local/bin/twilight-deploy
#   TWILIGHT_HOME=/home/deploy/twilight    has .env and source/deploy/compose.yml
#   TWILIGHT_…                  other settings (`twilight-deploy help settings`) for
#                               /etc/twilight-deploy.conf; those not given are kept
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
CONF=/etc/twilight-deploy.conf
DROPIN=/etc/ssh/sshd_config.d/60-twilight-deploy.conf
TUNNEL_CONFIG=/etc/cloudflared/twilight.yml
SYSTEMD=/etc/systemd/system
UNITS=twilight-backend.service
# of older versions; twilight-backend.service does its work now
OLD_UNIT=$SYSTEMD/twilight-recover.service

say() { printf '%s\n' "$*" || :; }
warn() { printf 'install.sh: warning: %s\n' "$*" >&2 || :; }
refuse() {
	printf 'install.sh: refused: %s\n' "$*" >&2
	exit 1
}
dry() { [ "${DRY_RUN:-0}" != 0 ]; }

# shellcheck source=deploy/install-checks.sh
. "$HERE/install-checks.sh"

# -- changes; each is recorded in $MADE, for --uninstall -----------------------------

# made WORDS…: record a change before it is made, so that an interrupted run can be undone.
made() {
	! grep -qsxF "$*" "$ROOT$MADE" || return 0
	[ -d "$ROOT${MADE%/*}" ] || mkdir -p "$ROOT${MADE%/*}"
	printf '%s\n' "$*" >>"$ROOT$MADE"
}

run() {
	say "run     $*"
	dry || "$@"
}

# own PATH OWNER:GROUP MODE: --uninstall restores the owner and mode of what existed before.
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

# file PATH MODE FROM: owned by root, replaced by rename, left alone if it is the same;
# else CHANGED is set.
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

# render TEMPLATE NAME=VALUE…: replace each {{NAME}} by VALUE, literally.
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
	}' "$render_from" || refuse "$render_from: a name in {{}} has no value"
}

# -- sshd ----------------------------------------------------------------------------

# The first change, because sshd may still refuse it: nothing else has been changed then.
setup_sshd() {
	render sshd.conf USER="$DEPLOY_USER" >"$WORK/sshd.all"
	# older versions of sshd do not have this option
	if ! command -v sshd >/dev/null ||
		sshd -t -o PerSourcePenaltyExemptList=127.0.0.1 2>&1 | grep -q 'Bad configuration option'; then
		sed 's/^PerSourcePenalty/#&/' "$WORK/sshd.all" >"$WORK/sshd"
	else
		cp "$WORK/sshd.all" "$WORK/sshd"
	fi
	dry || cmp -s "$WORK/sshd" "$DROPIN" || sshd_try
	file "$DROPIN" 644 "$WORK/sshd"
}

# Install the file, test it, and restore the old one if sshd rejects it or this script is
# interrupted: with a file that it rejects sshd does not start again.
sshd_try() {
	[ ! -e "$DROPIN" ] || ln -f "$DROPIN" "$DROPIN.old"
	trap 'sshd_back; rm -rf "$WORK"' EXIT
	made file "$DROPIN"
	cp "$WORK/sshd" "$DROPIN.new"
	chmod 644 "$DROPIN.new"
	mv "$DROPIN.new" "$DROPIN"
	if ! try_says=$(sshd -t 2>&1) || ! try_says=$(sshd_in_force); then
		refuse "sshd rejects $DROPIN; the old state is restored: $try_says"
	fi
	trap 'rm -rf "$WORK"' EXIT
	rm -f "$DROPIN.old"
	SSHD_CHANGED=1
}

sshd_back() {
	rm -f "$DROPIN.new" "$DROPIN"
	[ ! -e "$DROPIN.old" ] || mv "$DROPIN.old" "$DROPIN"
	# it was the first change
	grep -qsvxF "file $DROPIN" "$MADE" || { rm -f "$MADE" && rmdir "${MADE%/*}"; }
}

# Of several files that set an option, sshd uses the first.
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

# New connections get the configuration that the daemon has read.
sshd_reload() {
	if systemd_runs; then
		for reload_unit in ssh.service sshd.service; do
			! systemctl --quiet is-active $reload_unit || {
				run systemctl reload $reload_unit
				return
			}
		done
	fi
	dry || say 'note    reload sshd, so that it reads its configuration'
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

# The user may replace .env and create files beside it.  The folder is sticky, so the
# user can neither change nor rename what root owns in it.  Its home belongs to root, so
# it cannot write dotfiles.
setup_tree() {
	folder "$USER_HOME" root:root 755
	folder "$USER_HOME/.docker" "root:$DEPLOY_USER" 750
	[ ! -f "$ROOT$USER_HOME/.docker/config.json" ] ||
		own "$USER_HOME/.docker/config.json" "root:$DEPLOY_USER" 640
	# .env first, and last at --uninstall: the user cannot replace it meanwhile, because
	# the folder is not writable for it
	if [ -f "$ROOT$ENV_FILE" ]; then
		own "$ENV_FILE" "$DEPLOY_USER:$DEPLOY_USER" 600
	fi
	folder "$TWILIGHT_HOME" "root:$DEPLOY_USER" 1775
	# an uninstall gave it to root
	setup_state=$TWILIGHT_HOME/.twilight-deploy
	[ "$(stat -c '%u %F' "$ROOT$setup_state" 2>/dev/null)" != '0 directory' ] || dry ||
		run chown -hR "$DEPLOY_USER:$DEPLOY_USER" "$setup_state"
}

# A file that somebody has edited is kept; what this script would write goes beside it.
setup_conf() {
	if ! conf_edited; then
		file "$CONF" 644 "$WORK/conf"
		rm -f "$ROOT$CONF.new"
	elif [ -n "$GIVEN" ]; then
		file "$CONF.new" 644 "$WORK/conf"
		warn "$CONF is kept, because it was edited; the settings that were given are in $CONF.new"
	fi
}

# One line for each key: in the place of the line with the same key, or at the end.  The
# lines of an older version have the settings that are in the file now, and its default
# --allow, which had rollback: both are removed.
setup_keys() {
	key_path=/etc/ssh/authorized_keys.d/$DEPLOY_USER
	[ -n "$KEY" ] || [ -e "$ROOT$key_path" ] || return 0
	{
		cat "$ROOT$key_path" 2>/dev/null ||
			printf '%s; a line is a key: to revoke it, remove the line.\n' "$MARK"
	} | BLOB=$KEY_BLOB LINE=$KEY_LINE OLD="command=\"$OLD_SETTINGS$BIN --actor " \
		NEW="command=\"$BIN --actor " awk '
		ENVIRON["BLOB"] != "" && index($0, ENVIRON["BLOB"]) {
			if (!there++)
				print ENVIRON["LINE"]
			next
		}
		ENVIRON["OLD"] != ENVIRON["NEW"] && (at = index($0, ENVIRON["OLD"])) {
			rest = substr($0, at + length(ENVIRON["OLD"]))
			sub(/ --allow deploy,rollback,status"/, "\"", rest)
			$0 = substr($0, 1, at - 1) ENVIRON["NEW"] rest
		}
		{ print }
		END { if (ENVIRON["BLOB"] != "" && !there) print ENVIRON["LINE"] }' >"$WORK/keys"
	! grep -q 'command="TWILIGHT_' "$WORK/keys" ||
		warn "$key_path has lines with settings of their own, which win over $CONF"
	[ -z "$OLD_SETTINGS" ] || ! grep -qs 'allow deploy,rollback,status"' "$ROOT$key_path" ||
		say 'note    keys that had the old default, --allow deploy,rollback,status, may not roll back any more'
	file "$key_path" 644 "$WORK/keys"
}

setup_units() {
	for unit in $UNITS; do
		tunnel_render "systemd/$unit" USER="$DEPLOY_USER" >"$WORK/unit"
		CHANGED=
		[ "$unit" != twilight-cloudflared.service ] ||
			file "$TUNNEL_CONFIG" 644 "$WORK/tunnel"
		file "$SYSTEMD/$unit" 644 "$WORK/unit"
		made unit "$unit"
		[ -z "$CHANGED" ] || UNITS_CHANGED="$UNITS_CHANGED $unit"
	done
	! grep -qs "^$MARK" "$ROOT$OLD_UNIT" || remove_old_unit
}

remove_old_unit() {
	undo_unit "${OLD_UNIT##*/}"
	undo_file "$OLD_UNIT"
	grep -vxF -e "file $OLD_UNIT" -e "unit ${OLD_UNIT##*/}" "$ROOT$MADE" >"$ROOT$MADE.new"
	mv "$ROOT$MADE.new" "$ROOT$MADE"
}

# A running tunnel does not read a changed file.
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
		run systemctl "$(start_verb "$unit")" "$unit" && continue
		warn "$unit does not start: systemctl status $unit"
		# nothing may be deployed yet: no further attempts until the next boot
		run systemctl stop "$unit" || :
	done
}

# Warnings only: the first deploy may be still to come.
look() {
	! dry || return 0
	as_user "$BIN" --local status </dev/null ||
		warn "\`status\` as $DEPLOY_USER ends with $? (see above)"
	for look_from in $(sshd_clients); do
		sshd_says "$look_from" >"$WORK/says"
		! grep -q '^allowusers ' "$WORK/says" || grep -qx "allowusers $DEPLOY_USER" "$WORK/says" ||
			warn "AllowUsers in sshd's configuration does not name $DEPLOY_USER: it cannot log in from $look_from"
	done
	! systemd-analyze cat-config systemd/logind.conf 2>/dev/null | grep -qix 'KillUserProcesses=\(yes\|true\|1\|on\)' ||
		warn "logind ends the deploy of a lost connection (KillUserProcesses=yes): add $DEPLOY_USER to KillExcludeUsers="
}

as_user() { runuser -u "$DEPLOY_USER" -- env -i PATH="$PATH" "$@"; }

show() {
	say "$NL$2:"
	sed 's/^/    /' "$1"
}

next_steps() {
	! dry || {
		show "$ROOT$CONF" "$CONF"
		[ ! -e "$ROOT$CONF.new" ] || show "$ROOT$CONF.new" "$CONF.new"
		[ ! -e "$WORK/keys" ] || show "$WORK/keys" "/etc/ssh/authorized_keys.d/$DEPLOY_USER"
	}
	say "$NL""Next:"
	[ -n "$KEY" ] ||
		say "- a key: DEPLOY_PUBKEY_FILE=key.pub $0"
	say "- a private registry: docker --config $USER_HOME/.docker login REGISTRY, then $0 again"
	say "- try it: ssh $DEPLOY_USER@HOST version${KEY:+ (this key may come from: $DEPLOY_FROM; see DEPLOY_FROM)}"
	say "- on this host: runuser -u $DEPLOY_USER -- twilight-deploy status"
	[ -z "${TUNNEL_UUID-}" ] ||
		say "- Cloudflare Access for $SSH_HOSTNAME: one policy, action Service Auth (https://one.dash.cloudflare.com)"
}

# -- uninstall ---------------------------------------------------------------------------

# Every lock file that a deploy may hold; also that of an older version's units.
locks() {
	{
		printf '%s\n' "$HOMES" | sed 's|$|/.twilight-deploy|'
		conf_values state
	} | while read -r locks_state; do
		for locks_folder in "$locks_state" "$locks_state"/targets/*; do
			printf '%s\n' "$locks_folder/lock" "$locks_folder/up.lock"
		done
	done
	conf_values lock
	old_unit_value TWILIGHT_LOCK
}

uninstall() {
	[ -f "$ROOT$MADE" ] || {
		say 'nothing to uninstall'
		return
	}
	read -r _ DEPLOY_USER TWILIGHT_HOME <<-LINE
		$(grep '^for ' "$ROOT$MADE")
	LINE
	HOMES=$({ printf '%s\n' "$TWILIGHT_HOME" && conf_values home; } | sort -u)
	dry || locks | while read -r back_lock; do
		[ ! -f "$back_lock" ] || flock -n "$back_lock" true ||
			refuse "a deploy is running ($back_lock): wait until it has ended"
	done
	cp "$ROOT$MADE" "$WORK/made"
	# the last change first; from a descriptor that the commands do not read
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
	[ "$1" != "$CONF" ] || ! conf_edited || {
		say "keep    $1, because it was edited"
		return
	}
	say "remove  $1"
	rm -f "$ROOT$1" "$ROOT$1.new"
}

undo_folder() {
	if rmdir "$ROOT$1" 2>/dev/null; then
		say "remove  $1"
	elif [ -d "$ROOT$1" ]; then
		say "keep    $1, because it has: $(cd "$ROOT$1" && find . -mindepth 1 -maxdepth 1 | sort | tr '\n' ' ')"
	fi
}

# A symbolic link is not what was changed: the user may have created it, and its target
# would get the mode.
undo_was() {
	{ [ -e "$ROOT$3" ] && [ ! -L "$ROOT$3" ]; } || return 0
	say "keep    $3, as it was before: $1 $2"
	dry || { chown -h "$1" "$3" && chmod "$2" "$3"; }
}

# The history is kept, and given to root.  Without a history only locks may be left.
undo_user() {
	! dry && id "$1" >/dev/null 2>&1 || return 0
	printf '%s\n' "$HOMES" | while read -r back_home; do
		[ -d "$back_home" ] || continue
		find "$back_home" -user "$1" -exec chown -h root:root {} +
		back_state=$back_home/.twilight-deploy
		[ -L "$back_state" ] || rm -f "$back_state/lock" "$back_state/up.lock"
		rmdir "$back_state" 2>/dev/null || [ ! -d "$back_state" ] ||
			say "keep    $back_state, the history"
	done
	run userdel "$1" ||
		refuse "user $1 still runs something, perhaps an open connection: pkill -u $1, then --uninstall again"
}

# -- main ----------------------------------------------------------------------------------

case ${1-} in
'' | --uninstall) ;;
--dry-run) DRY_RUN=1 ;;
-h | --help)
	sed -n '2,/^set -eu/{/^set/d;s/^# \{0,1\}//;p;}' "$0"
	exit
	;;
*) refuse "no such option: $1 (see --help)" ;;
esac
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
check_call
# a client that disconnects, perhaps because the tunnel restarts, must not end this half-way
trap '' HUP PIPE
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
dry || check_tree
check_key
check_tunnel
check_foreign
check_host

setup_sshd
made for "$DEPLOY_USER $TWILIGHT_HOME"
# now: a second run, after one that ended half-way, finds the file unchanged
[ -z "$SSHD_CHANGED" ] || sshd_reload
setup_user
setup_tree
setup_conf
file "$BIN" 755 "$PROGRAM"
setup_keys
setup_units
start
look
next_steps
