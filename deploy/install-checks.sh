# shellcheck shell=sh
# install-checks.sh: everything that install.sh refuses, checked before anything is
# changed.  Sourced by it.  A check that fails prints one line and exits; it also sets
# the variables that it is about.

check_call() {
	if dry; then
		ROOT=${DESTDIR:-$WORK/root}
		mkdir -p "$ROOT" || refuse "DESTDIR=$DESTDIR cannot be created"
		ROOT=$(cd "$ROOT" && pwd)
		[ "$ROOT" != / ] || refuse 'DESTDIR=/ is this system: choose a folder'
		[ -n "${DESTDIR-}" ] || copy_host
	else
		[ -z "${DESTDIR-}" ] || refuse 'DESTDIR is for --dry-run only'
		[ "$(id -u)" -eq 0 ] || refuse 'run it as root (sudo), or with --dry-run'
		ROOT=
	fi
}

# What a dry run starts from: this host's own files, as far as they can be read.
copy_host() {
	for copy_file in "$CONF" "$MADE" "$OLD_UNIT" "$DROPIN" /etc/ssh/authorized_keys.d/*; do
		[ ! -r "$copy_file" ] || cp -p --parents -t "$ROOT" "$copy_file"
	done
}

# is NAME VALUE CHARACTERS MUST: has only these, because it goes into files as it is.
is() {
	case $2 in
	'' | *"$NL"*) refuse "$1=$2: must be $4" ;;
	esac
	[ -z "$(printf '%s' "$2" | tr -d "$3")" ] || refuse "$1=$2: must be $4"
}

check_program() {
	if [ -z "${PROGRAM-}" ]; then
		PROGRAM=$HERE/../build/twilight-deploy
		# as in a release's tarball
		[ -f "$PROGRAM" ] || [ ! -f "$HERE/../twilight-deploy" ] || PROGRAM=$HERE/../twilight-deploy
	fi
	[ -f "$PROGRAM" ] || refuse "no program at $PROGRAM: \`make\` first, or name it with PROGRAM=FILE"
	# lines of KEY=VARIABLE
	NAMES=$("$PROGRAM" --local help settings 2>&1 | sed -n 's/^\([a-z_]*\), \(TWILIGHT_[A-Z_]*\)$/\1=\2/p')
	[ -n "$NAMES" ] || refuse "$PROGRAM does not run on this host"
}

check_user() {
	DEPLOY_USER=${DEPLOY_USER:-$(sed -n 's/^for \([^ ]*\) .*/\1/p' "$ROOT$MADE" 2>/dev/null || :)}
	DEPLOY_USER=${DEPLOY_USER:-deploy}
	is DEPLOY_USER "$DEPLOY_USER" 'a-z0-9_-' 'small letters, digits, _ and -'
	case $DEPLOY_USER in
	root | [0-9-]*) refuse "DEPLOY_USER=$DEPLOY_USER: must be a user of its own" ;;
	esac
	[ "${#DEPLOY_USER}" -le 32 ] || refuse "DEPLOY_USER=$DEPLOY_USER: must be at most 32 characters"
	USER_HOME=/home/$DEPLOY_USER
	if dry; then
		return
	elif id "$DEPLOY_USER" >/dev/null 2>&1; then
		check_user_fits
	elif getent group "$DEPLOY_USER" >/dev/null; then
		refuse "there is a group $DEPLOY_USER and no such user: groupdel $DEPLOY_USER, or choose another DEPLOY_USER"
	fi
}

# A user that exists may be somebody's: it is used if it fits, and never changed.
check_user_fits() {
	fits_entry=$(getent passwd "$DEPLOY_USER")
	fits_or="or choose another DEPLOY_USER"
	[ "$(id -u "$DEPLOY_USER")" -ne 0 ] ||
		refuse "user $DEPLOY_USER is root: choose another DEPLOY_USER"
	case $fits_entry in
	*:/bin/sh) ;;
	*) refuse "user $DEPLOY_USER has another shell than /bin/sh: usermod -s /bin/sh $DEPLOY_USER, $fits_or" ;;
	esac
	case $(getent shadow "$DEPLOY_USER" | cut -d: -f2) in
	'!'* | '*'*) ;;
	*) refuse "user $DEPLOY_USER has a password: usermod -p '*' $DEPLOY_USER, $fits_or" ;;
	esac
	[ "$(id -gn "$DEPLOY_USER")" = "$DEPLOY_USER" ] ||
		refuse "the group of user $DEPLOY_USER is not its own: groupadd $DEPLOY_USER && usermod -g $DEPLOY_USER $DEPLOY_USER, $fits_or"
	USER_HOME=$(printf '%s' "$fits_entry" | cut -d: -f6)
	is "the home of $DEPLOY_USER" "$USER_HOME" 'A-Za-z0-9_./-' 'a path of letters, digits, _ . and -'
	[ "$USER_HOME" != / ] || refuse "the home of user $DEPLOY_USER is /: usermod -d /home/$DEPLOY_USER $DEPLOY_USER, $fits_or"
}

# writable FIND-ARGUMENT…: the first file that the deploy user can change, or could once
# it exists.  A sticky folder is no exception: files can be created in it.
writable() {
	writable_who=
	! id "$DEPLOY_USER" >/dev/null 2>&1 || writable_who="-user $DEPLOY_USER -o"
	for writable_group in $(id -G "$DEPLOY_USER" 2>/dev/null) $(getent group docker | cut -d: -f3); do
		writable_who="$writable_who -gid $writable_group -perm -0020 -o"
	done
	# shellcheck disable=SC2086 # words
	find "$@" ! -type l \( $writable_who -perm -0002 \) -print 2>/dev/null |
		head -n 1
}

check_home() {
	TWILIGHT_HOME=${TWILIGHT_HOME:-$(old_setting home TWILIGHT_HOME)}
	TWILIGHT_HOME=${TWILIGHT_HOME:-/home/deploy/twilight}
	is TWILIGHT_HOME "$TWILIGHT_HOME" 'A-Za-z0-9_./-' 'a path of letters, digits, _ . and -'
	case $TWILIGHT_HOME/ in
	*//* | */./* | */../*) refuse "TWILIGHT_HOME=$TWILIGHT_HOME: must be written without //, . and .." ;;
	/*/*/) ;;
	*) refuse "TWILIGHT_HOME=$TWILIGHT_HOME: must be an absolute path, two folders deep" ;;
	esac
	# the user could create .ssh, .pam_environment … there
	case $USER_HOME/ in
	"$TWILIGHT_HOME"/*) refuse "TWILIGHT_HOME=$TWILIGHT_HOME: must not be the home of $DEPLOY_USER: choose a folder in it" ;;
	esac
	for home_name in TWILIGHT_ENV_FILE TWILIGHT_COMPOSE_DIR TWILIGHT_STATE; do
		eval "[ -z \"\${$home_name-}\" ]" ||
			refuse "$home_name is set: this script knows one tree, below TWILIGHT_HOME; write $CONF yourself"
	done
	COMPOSE_DIR=$(old_setting compose_dir TWILIGHT_COMPOSE_DIR)
	COMPOSE_DIR=${COMPOSE_DIR:-$TWILIGHT_HOME/source/deploy}
	ENV_FILE=$(old_setting env_file TWILIGHT_ENV_FILE)
	ENV_FILE=${ENV_FILE:-$TWILIGHT_HOME/.env}
	! dry || [ -e "$ENV_FILE" ] || warn "no $ENV_FILE here: without it a real run is refused"
}

check_tree() {
	{ [ -f "$ENV_FILE" ] && [ ! -L "$ENV_FILE" ]; } ||
		refuse "missing env file: $ENV_FILE: mkdir -p $TWILIGHT_HOME && cp $HERE/env.example $ENV_FILE, and fill it in"
	tree_name=$(sed -n 's/^variable = //p' "$WORK/body")
	conf_edited || grep -q "${tree_name:=TWILIGHT_VERSION}" "$ENV_FILE" ||
		refuse "missing $tree_name in $ENV_FILE: see $HERE/env.example"
	conf_edited || grep -q '^compose_files = ' "$WORK/body" ||
		for tree_name in compose.yaml compose.yml docker-compose.yml docker-compose.yaml ''; do
			[ -n "$tree_name" ] ||
				refuse "no compose file in $COMPOSE_DIR: put yours there; $HERE/compose.yml is an example"
			[ ! -f "$COMPOSE_DIR/$tree_name" ] || break
		done
	# compose names a project by its path: another spelling would be another project
	[ "$(cd "$COMPOSE_DIR" && pwd -P)" = "$COMPOSE_DIR" ] ||
		refuse "TWILIGHT_HOME=$TWILIGHT_HOME leads through a symbolic link: give the real path"
	for tree_name in "$USER_HOME" "$USER_HOME/.docker" "$USER_HOME/.docker/config.json"; do
		[ ! -L "$tree_name" ] || refuse "$tree_name is a symbolic link: replace it by what it leads to"
	done
	set -- "$USER_HOME" -maxdepth 1 ! -path "$TWILIGHT_HOME"
	while read -r tree_home; do
		set -- "$@" ! -path "$tree_home"
	done <<-LINES
		$(conf_values home)
	LINES
	tree_open=$(writable "$@")
	[ -z "$tree_open" ] ||
		refuse "$tree_open can be changed by $DEPLOY_USER, who could plant what a login reads: chown -hR root:root $USER_HOME, or choose another DEPLOY_USER"
	check_compose_dir
	tree_up=${TWILIGHT_HOME%/*}
	while [ -n "$tree_up" ]; do
		[ -z "$(writable "$tree_up" -maxdepth 0)" ] ||
			refuse "$tree_up can be changed by $DEPLOY_USER: chown root:root $tree_up && chmod go-w $tree_up"
		tree_up=${tree_up%/*}
	done
}

# Compose follows symbolic links.  Beside .env the user can create files: there compose
# must be given file names, or it reads a compose.override.yml too.
check_compose_dir() {
	if [ "$COMPOSE_DIR" = "$TWILIGHT_HOME" ]; then
		dir_files=$(conf_values compose_files | tr : ' ')
		[ -n "$dir_files" ] ||
			refuse "the compose file is beside .env: name it with compose_files in $CONF, or $DEPLOY_USER could add a compose.override.yml"
		# shellcheck disable=SC2086 # words
		dir_open=$(cd "$COMPOSE_DIR" && writable -L $dir_files -maxdepth 0)
	else
		dir_open=$(writable "$TWILIGHT_HOME/source")
		[ -n "$dir_open" ] || dir_open=$(writable -L "$COMPOSE_DIR" -maxdepth 1)
	fi
	[ -z "$dir_open" ] ||
		refuse "$dir_open can be changed by $DEPLOY_USER: chown -hR root:root $COMPOSE_DIR && chmod -R go-w $COMPOSE_DIR"
}

# one_line TEXT: an error message of the program on one line.
one_line() {
	printf '%s\n' "$1" | sed '2,$s/^ */ /' | paste -sd';'
}

# -- settings ------------------------------------------------------------------------

conf_sum() { cksum <"$1" | tr ' ' -; }

conf_mark() { printf '%s (%s).  Once edited, this file is kept.\n' "$MARK" "$(conf_sum "$1")"; }

# conf_edited: is there a configuration file that is not as this script wrote it?
conf_edited() {
	{ [ -e "$ROOT$CONF" ] || [ -L "$ROOT$CONF" ]; } || return 1
	[ -f "$ROOT$CONF" ] && [ ! -L "$ROOT$CONF" ] || return 0
	sed 1d "$ROOT$CONF" >"$WORK/rest"
	[ "$(sed 1q "$ROOT$CONF")" != "$(conf_mark "$WORK/rest")" ]
}

# conf_values KEY: in all targets of the configuration file
conf_values() { sed -n "s/^$1[[:space:]]*=[[:space:]]*//p" "$ROOT$CONF" 2>/dev/null || :; }

# old_unit_value VARIABLE: from the unit of an older version, which kept settings there
old_unit_value() {
	sed -n "s/^Environment=\"$1=\(.*\)\"\$/\1/p" "$ROOT$OLD_UNIT" 2>/dev/null || :
}

# old_setting KEY VARIABLE: the value so far.  Of a file that was edited only the folders
# are used, those of its first target.
old_setting() {
	case $1 in
	home | env_file | compose_dir) ;;
	*) ! conf_edited || return 0 ;;
	esac
	if [ -e "$ROOT$CONF" ]; then
		conf_values "$1" | sed 1q
	else
		old_unit_value "$2"
	fi
}

# The configuration file in $WORK/conf: what is set so far, and what is given.
check_settings() {
	GIVEN=
	# a misspelt name would leave a default in force
	for settings_name in $(env | sed -n 's/^\(TWILIGHT_[A-Za-z0-9_]*\)=.*/\1/p'); do
		printf '%s\n' "$NAMES" | grep -q "=$settings_name\$" ||
			refuse "$settings_name is not a setting: \`twilight-deploy help settings\` lists them"
	done
	echo '[target default]' >"$WORK/body"
	for settings_pair in $NAMES; do
		settings_key=${settings_pair%%=*}
		settings_name=${settings_pair#*=}
		eval "settings_value=\${$settings_name-}"
		[ -z "$settings_value" ] || [ "$settings_key" = home ] || GIVEN=1
		settings_value=${settings_value:-$(old_setting "$settings_key" "$settings_name")}
		case $settings_value in
		*"$NL"*) refuse "$settings_name: must be one line" ;;
		esac
		[ -z "$settings_value" ] || printf '%s = %s\n' "$settings_key" "$settings_value"
	done >>"$WORK/body"
	{ conf_mark "$WORK/body" && cat "$WORK/body"; } >"$WORK/conf"
	# the least of the verbs that read settings; a missing history is not an error here
	settings_why=$(env -i PATH="$PATH" "$PROGRAM" --config "$WORK/conf" --local history 1 2>&1) || :
	case $settings_why in
	*"$WORK/conf:"*) refuse "$(one_line "$settings_why" | sed "s|$WORK/conf:|$CONF:|")" ;;
	esac
	# as older versions wrote them before the program in a key's line
	OLD_SETTINGS=
	conf_edited || OLD_SETTINGS=$(sed -n "s/^Environment=\"\(TWILIGHT_[A-Z_]*\)=\(.*\)\"\$/\1='\2' /p" \
		"$ROOT$OLD_UNIT" 2>/dev/null | tr -d '\n') || :
}

# -- keys ----------------------------------------------------------------------------

# One key, one line, no options: they would become part of ours.
check_key() {
	KEY='' KEY_BLOB='' KEY_LINE=''
	if [ -z "${DEPLOY_PUBKEY_FILE-}" ]; then
		warn 'DEPLOY_PUBKEY_FILE is not set: no key is added'
		return
	fi
	key_file=$DEPLOY_PUBKEY_FILE
	{ [ -f "$key_file" ] && [ -r "$key_file" ]; } || refuse "DEPLOY_PUBKEY_FILE=$key_file cannot be read"
	! grep -q 'PRIVATE KEY' "$key_file" || refuse "$key_file is a private key: give the .pub beside it"
	[ "$(tr -d '[:print:]\n' <"$key_file" | wc -c)" -eq 0 ] ||
		refuse "$key_file holds other bytes than ASCII text (carriage returns?)"
	key_lines=$(grep -c . "$key_file") || :
	[ "$key_lines" -eq 1 ] || refuse "$key_file must hold one line with one public key, and has $key_lines"
	read -r key_type KEY_BLOB key_comment <<-LINE
		$(grep . "$key_file")
	LINE
	case $key_type in
	ssh-ed25519 | ssh-rsa | ecdsa-sha2-nistp256 | ecdsa-sha2-nistp384 | ecdsa-sha2-nistp521) ;;
	sk-ssh-ed25519@openssh.com | sk-ecdsa-sha2-nistp256@openssh.com) ;;
	*) refuse "$key_file must begin with the type of a public key, without options, not with: $key_type" ;;
	esac
	ssh-keygen -l -f "$key_file" >/dev/null 2>&1 || refuse "$key_file: ssh-keygen cannot read that key"
	KEY="$key_type $KEY_BLOB${key_comment:+ $key_comment}"
	check_role
}

check_role() {
	DEPLOY_ACTOR=${DEPLOY_ACTOR:-ci}
	DEPLOY_FROM=${DEPLOY_FROM:-127.0.0.1,::1}
	is DEPLOY_ACTOR "$DEPLOY_ACTOR" 'A-Za-z0-9_.@-' 'letters, digits, _ . @ and -'
	is DEPLOY_FROM "$DEPLOY_FROM" 'A-Za-z0-9.:,*?/!-' 'addresses with commas between them, or any'
	role_words="--actor $DEPLOY_ACTOR"
	if [ -n "${DEPLOY_TARGETS-}" ]; then
		is DEPLOY_TARGETS "$DEPLOY_TARGETS" 'A-Za-z0-9_.,-' 'targets with commas between them, or all'
		role_words="$role_words --target $DEPLOY_TARGETS"
	fi
	if [ -n "${DEPLOY_ALLOW-}" ]; then
		is DEPLOY_ALLOW "$DEPLOY_ALLOW" 'a-z,' 'verbs with commas between them, or all'
		role_why=$("$PROGRAM" --local --allow "$DEPLOY_ALLOW" version 2>&1) ||
			refuse "DEPLOY_ALLOW=$DEPLOY_ALLOW: $(one_line "$role_why")"
		role_words="$role_words --allow $DEPLOY_ALLOW"
	fi
	role_options=restrict
	[ "$DEPLOY_FROM" = any ] || role_options="$role_options,from=\"$DEPLOY_FROM\""
	if [ -n "${DEPLOY_EXPIRES-}" ]; then
		check_expiry
		role_options="$role_options,expiry-time=\"$DEPLOY_EXPIRES\""
	fi
	KEY_LINE="$role_options,command=\"$BIN $role_words\" $KEY"
}

check_expiry() {
	expiry_bad="DEPLOY_EXPIRES=$DEPLOY_EXPIRES: must be a time in the future, YYYYMMDD[HHMM[SS]][Z]"
	expiry=${DEPLOY_EXPIRES%Z}
	expiry_zone=
	[ "$expiry" = "$DEPLOY_EXPIRES" ] || expiry_zone=-u
	case ${#expiry}:$expiry in
	*:*[!0-9]*) refuse "$expiry_bad" ;;
	8:* | 12:* | 14:*) ;;
	*) refuse "$expiry_bad" ;;
	esac
	expiry=$(printf '%s000000' "$expiry" | cut -c 1-14 |
		sed 's/^\(....\)\(..\)\(..\)\(..\)\(..\)\(..\)$/\1-\2-\3 \4:\5:\6/')
	# shellcheck disable=SC2086 # -u, or nothing
	expiry=$(date $expiry_zone -d "$expiry" +%s 2>/dev/null) || refuse "$expiry_bad"
	[ "$expiry" -gt "$(date +%s)" ] || refuse "$expiry_bad"
}

# -- the tunnel ------------------------------------------------------------------------

check_tunnel() {
	CLOUDFLARED=$(command -v cloudflared) || CLOUDFLARED=
	[ -n "${TUNNEL_UUID-}" ] || return 0
	tunnel_uuid='[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
	printf '%s' "$TUNNEL_UUID" | grep -qxE "$tunnel_uuid" ||
		refuse "TUNNEL_UUID=$TUNNEL_UUID: must be the tunnel's UUID (\`cloudflared tunnel list\`)"
	for tunnel_name in HTTP_HOSTNAME SSH_HOSTNAME ACCESS_TEAM ACCESS_AUD; do
		eval "tunnel_value=\${$tunnel_name-}"
		is $tunnel_name "$tunnel_value" 'A-Za-z0-9.-' 'set with TUNNEL_UUID: letters, digits, . and -'
	done
	# cloudflared takes the first of two rules for a name: the one without Access
	[ "$HTTP_HOSTNAME" != "$SSH_HOSTNAME" ] || refuse "SSH_HOSTNAME=$SSH_HOSTNAME: must be another name than HTTP_HOSTNAME"
	HTTP_PORT=${HTTP_PORT:-8081}
	is HTTP_PORT "$HTTP_PORT" 0-9 'a port'
	TUNNEL_CREDENTIALS=${TUNNEL_CREDENTIALS:-/etc/cloudflared/$TUNNEL_UUID.json}
	is TUNNEL_CREDENTIALS "$TUNNEL_CREDENTIALS" 'A-Za-z0-9_./-' 'a path of letters, digits, _ . and -'
	tunnel_render cloudflared-config.yml.template >"$WORK/tunnel"
	UNITS="$UNITS twilight-cloudflared.service"
	if dry; then
		CLOUDFLARED=${CLOUDFLARED:-/usr/local/bin/cloudflared}
		return
	fi
	[ -n "$CLOUDFLARED" ] || refuse 'no cloudflared on PATH: install it, or leave TUNNEL_UUID out'
	[ -f "$TUNNEL_CREDENTIALS" ] || refuse "TUNNEL_CREDENTIALS=$TUNNEL_CREDENTIALS is not there: \`cloudflared tunnel create\` writes it"
	[ -z "$(find "$TUNNEL_CREDENTIALS" -perm /077)" ] ||
		refuse "$TUNNEL_CREDENTIALS is a secret: chmod 600 $TUNNEL_CREDENTIALS"
	# an unknown key is a warning, and then no OK is printed
	tunnel_says=$("$CLOUDFLARED" tunnel --config "$WORK/tunnel" ingress validate 2>&1) || :
	printf '%s\n' "$tunnel_says" | grep -qx OK ||
		refuse "cloudflared rejects its configuration: $tunnel_says"
}

# tunnel_render TEMPLATE NAME=VALUE…
tunnel_render() {
	render "$@" TUNNEL_UUID="${TUNNEL_UUID-}" TUNNEL_CREDENTIALS="${TUNNEL_CREDENTIALS-}" \
		HTTP_HOSTNAME="${HTTP_HOSTNAME-}" HTTP_PORT="${HTTP_PORT-}" \
		SSH_HOSTNAME="${SSH_HOSTNAME-}" ACCESS_TEAM="${ACCESS_TEAM-}" \
		ACCESS_AUD="${ACCESS_AUD-}" CLOUDFLARED="$CLOUDFLARED"
}

# -- the host --------------------------------------------------------------------------

# Files in our places that are not ours are kept; also units of users, because two
# managers of one compose project undo each other's work.
check_foreign() {
	for foreign in "$DROPIN" "/etc/ssh/authorized_keys.d/$DEPLOY_USER" "$TUNNEL_CONFIG"; do
		ours "$ROOT$foreign"
	done
	for foreign in $UNITS; do
		for foreign_dir in /etc /run /usr/local/lib /usr/lib /lib; do
			ours "$ROOT$foreign_dir/systemd/system/$foreign"
			ours "$ROOT$foreign_dir/systemd/user/$foreign"
		done
		for foreign_dir in "$ROOT"/root "$ROOT"/home/*; do
			ours "$foreign_dir/.config/systemd/user/$foreign"
		done
	done
	foreign=$(sed -n 's/^for //p' "$ROOT$MADE" 2>/dev/null) || :
	[ -z "$foreign" ] || [ "$foreign" = "$DEPLOY_USER $TWILIGHT_HOME" ] ||
		refuse "this host is set up for $foreign (DEPLOY_USER, TWILIGHT_HOME): --uninstall first"
}

ours() {
	{ [ ! -e "$1" ] && [ ! -L "$1" ]; } || grep -qs "^$MARK" "$1" ||
		refuse "${1#"$ROOT"} exists and was not written by this script: move it away"
}

check_host() {
	! dry || return 0
	command -v docker >/dev/null || refuse 'no docker on PATH: install Docker Engine and its compose plugin'
	docker compose version --short 2>/dev/null | sed 's/^v//' |
		awk -F. '{ exit !($1 > 2 || $1 == 2 && $2 + 0 >= 23) }' ||
		refuse 'docker compose is missing or older than 2.23'
	command -v sshd >/dev/null || refuse 'no sshd here: install openssh-server'
	[ -d "${DROPIN%/*}" ] || refuse "no ${DROPIN%/*}: sshd_config must include $DROPIN"
	host_says=$(sshd -t 2>&1) || refuse "sshd's configuration is already wrong: $host_says"
	# AcceptEnv cannot be taken back in a Match block
	for host_from in $(sshd_clients); do
		host_env=$(sshd_says "$host_from" | grep '^acceptenv ' |
			grep -vxE 'acceptenv (lang|lc_\*|lc_[a-z]*|colorterm|no_color)') || continue
		refuse "sshd lets a client set variables ($host_env) from $host_from: remove that from its configuration"
	done
}

# Client addresses to test, because Match blocks may differ: the loopback, one of
# elsewhere (RFC 5737, RFC 3849), and those of DEPLOY_FROM.
sshd_clients() {
	printf '%s\n' 127.0.0.1 ::1 192.0.2.1 2001:db8::1
	printf '%s\n' "${DEPLOY_FROM-}" | tr , '\n' |
		grep -xE '[0-9]+(\.[0-9]+){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*' |
		grep -vxF -e 127.0.0.1 -e ::1 || :
}

# sshd_says ADDRESS: sshd's configuration for the deploy user from that address.
sshd_says() {
	sshd_host=client.invalid
	case $1 in
	127.0.0.1 | ::1) sshd_host=localhost ;;
	esac
	sshd -T -C "user=$DEPLOY_USER,host=$sshd_host,addr=$1" | tr '[:upper:]' '[:lower:]'
}
