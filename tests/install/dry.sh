#!/bin/sh
# dry.sh PROGRAM WORK: what install.sh writes below a folder, and what it refuses; needs
# neither root nor an engine.  Run by run.sh.
set -u
PROGRAM=$1
WORK=$2/dry
TREE=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/install/lib.sh
. "$TREE/tests/install/lib.sh"
mkdir "$WORK"

UUID=6ff42ae2-765d-4adf-8112-31c55c1551ef
TUNNEL="TUNNEL_UUID=$UUID HTTP_HOSTNAME=app.example.org SSH_HOSTNAME=ssh.example.org
	ACCESS_TEAM=example ACCESS_AUD=737646a56ab1df6ec9bddc7e5ca84eaf3b0768850f3ffb5d74f1534911fe3893"
for key in ci other; do
	ssh-keygen -q -t ed25519 -N '' -C "$key@example" -f "$WORK/$key"
done
CI=$(cat "$WORK/ci.pub")

# dry_run NAME SETTING…: into $WORK/NAME, with no other setting than these; --uninstall
# may be the last.
dry_run() {
	dr_folder=$WORK/$1
	shift
	dr_option=
	for dr_last; do :; done
	[ "${dr_last-}" != --uninstall ] || dr_option=--uninstall
	for dr_word; do
		shift
		[ "$dr_word" = --uninstall ] || set -- "$@" "$dr_word"
	done
	env -i PATH="$PATH" DRY_RUN=1 DESTDIR="$dr_folder" PROGRAM="$PROGRAM" "$@" \
		"$TREE/deploy/install.sh" $dr_option </dev/null
}

# with_key NAME SETTING…
with_key() {
	wk_name=$1
	shift
	dry_run "$wk_name" DEPLOY_PUBKEY_FILE="$WORK/ci.pub" "$@"
}

keys() { cat "$WORK/$1/etc/ssh/authorized_keys.d/deploy"; }

# shellcheck disable=SC2086 # TUNNEL is a list of settings
case_all_files() {
	with_key all $TUNNEL || fail 'exit 0'
	is 'what is written' "etc/cloudflared/twilight.yml
etc/ssh/authorized_keys.d/deploy
etc/ssh/sshd_config.d/60-twilight-deploy.conf
etc/systemd/system/twilight-backend.service
etc/systemd/system/twilight-cloudflared.service
etc/twilight-deploy.conf
usr/local/bin/twilight-deploy
var/lib/twilight-deploy/made" "$(cd "$WORK/all" && find . -type f -printf '%P\n' | sort)"
	! grep -rl --exclude=twilight-deploy '{{' "$WORK/all" || fail 'no {{ left'
	cmp "$PROGRAM" "$WORK/all/usr/local/bin/twilight-deploy" || fail 'the program'
	is 'the mode of the home' 1775 "$(stat -c %a "$WORK/all/home/deploy/twilight")"
}

# shellcheck disable=SC2086
case_again_changes_nothing() {
	before=$(tree "$WORK/all")
	with_key all $TUNNEL || fail 'exit 0'
	is 'the tree' "$before" "$(tree "$WORK/all")"
}

case_uninstall_leaves_nothing() {
	with_key gone || fail 'exit 0'
	dry_run gone --uninstall || fail 'exit 0'
	is 'what is left' '' "$(cd "$WORK/gone" && find . -type f)"
	dry_run gone --uninstall || fail 'a second time, exit 0'
}

case_uninstall_keeps_what_is_not_its_own() {
	mkdir -p "$WORK/keep/home/deploy/twilight"
	echo mine | tee "$WORK/keep/home/deploy/twilight/.env" >"$WORK/keep/home/deploy/notes"
	with_key keep || fail 'exit 0'
	dry_run keep --uninstall || fail 'exit 0'
	is 'what is left' 'home/deploy/notes
home/deploy/twilight/.env' "$(cd "$WORK/keep" && find . -type f -printf '%P\n' | sort)"
}

conf() { sed 1d "$WORK/$1/etc/twilight-deploy.conf"; }

# A value with quotes, a backslash and spaces goes into the file as it is.
case_conf_has_the_settings() {
	mkdir "$WORK/home"
	with_key conf TWILIGHT_HOME="$WORK/home" TWILIGHT_SERVICE='api worker' \
		TWILIGHT_TAG_PATTERN='v[0-9]+\.[0-9]+|'"it's" TWILIGHT_LOCK='/srv/a lock' || fail 'exit 0'
	is 'the file' "[target default]
home = $WORK/home
services = api worker
tag_pattern = v[0-9]+\.[0-9]+|it's
lock = /srv/a lock" "$(conf conf)"
	is 'the mode' 644 "$(stat -c %a "$WORK/conf/etc/twilight-deploy.conf")"
	"$PROGRAM" --config "$WORK/conf/etc/twilight-deploy.conf" --local history ||
		fail 'the program accepts it'
}

case_conf_keeps_what_is_not_given() {
	with_key conf TWILIGHT_SERVICE=api || fail 'exit 0'
	is 'the file' "[target default]
home = $WORK/home
services = api
tag_pattern = v[0-9]+\.[0-9]+|it's
lock = /srv/a lock" "$(conf conf)"
}

case_conf_that_was_edited_is_kept() {
	edited=$WORK/conf/etc/twilight-deploy.conf
	echo 'health_tries = 7' >>"$edited"
	cp "$edited" "$WORK/wanted"
	with_key conf || fail 'exit 0'
	[ ! -e "$edited.new" ] || fail 'nothing was given: no .new'
	with_key conf TWILIGHT_SERVICE=web >"$WORK/said" 2>&1 || fail 'exit 0'
	cmp "$WORK/wanted" "$edited" || fail 'the file as it was'
	has "$WORK/said" 'warning: /etc/twilight-deploy.conf is kept'
	has "$edited.new" 'services = web'
	mv "$edited.new" "$edited"
	with_key conf TWILIGHT_SERVICE=api || fail 'exit 0'
	has "$edited" 'services = api'
	echo '# mine' >>"$edited"
	dry_run conf --uninstall >"$WORK/said" || fail 'exit 0'
	has "$WORK/said" 'keep    /etc/twilight-deploy.conf, because it was edited'
	is 'what is left' etc/twilight-deploy.conf "$(cd "$WORK/conf" && find . -type f -printf '%P\n')"
}

# written by hand, before the first run
case_conf_of_an_operator_is_kept() {
	mkdir -p "$WORK/own/etc"
	printf '[target default]\nhome = /srv/app\n' | tee "$WORK/own/etc/twilight-deploy.conf" >"$WORK/wanted"
	with_key own || fail 'exit 0'
	cmp "$WORK/wanted" "$WORK/own/etc/twilight-deploy.conf" || fail 'the file as it was'
	is 'the mode of its home' 1775 "$(stat -c %a "$WORK/own/srv/app")"
}

case_dry_run_shows_the_conf() {
	env -i PATH="$PATH" PROGRAM="$PROGRAM" DEPLOY_PUBKEY_FILE="$WORK/ci.pub" TWILIGHT_KEEP=9 \
		"$TREE/deploy/install.sh" --dry-run >"$WORK/said" || fail 'exit 0'
	has "$WORK/said" '    keep = 9'
	has "$WORK/said" "    $(keys key | sed 1d)"
}

case_user_is_remembered() {
	dry_run user DEPLOY_USER=shipper TWILIGHT_HOME=/srv/twilight || fail 'exit 0'
	before=$(tree "$WORK/user")
	dry_run user || fail 'exit 0'
	is 'the tree' "$before" "$(tree "$WORK/user")"
}

# As unpacked from a release's tarball.
case_program_of_a_tarball() {
	mkdir -p "$WORK/tarball"
	cp -R "$TREE/deploy" "$WORK/tarball/"
	cp "$PROGRAM" "$WORK/tarball/twilight-deploy"
	env -i PATH="$PATH" "$WORK/tarball/deploy/install.sh" --dry-run || fail 'exit 0'
}

case_key_line() {
	with_key key DEPLOY_EXPIRES=20991231 >"$WORK/said" || fail 'exit 0'
	has "$WORK/said" 'try it: ssh deploy@HOST version (this key may come from: 127.0.0.1,::1;'
	is 'the line' 'restrict,from="127.0.0.1,::1",expiry-time="20991231",command="/usr/local/bin/twilight-deploy --actor ci" '"$CI" \
		"$(keys key | sed 1d)"
}

case_key_line_is_there_once() {
	with_key key DEPLOY_FROM=any DEPLOY_ACTOR=gha DEPLOY_ALLOW=deploy DEPLOY_TARGETS=api,web || fail 'exit 0'
	is 'the lines' 'restrict,command="/usr/local/bin/twilight-deploy --actor gha --target api,web --allow deploy" '"$CI" \
		"$(keys key | sed 1d)"
	with_key key || fail 'exit 0'
	is 'the lines' 'restrict,from="127.0.0.1,::1",command="/usr/local/bin/twilight-deploy --actor ci" '"$CI" \
		"$(keys key | sed 1d)"
}

# What version 0.1.0 wrote; lines that differ from it are left alone.
case_upgrade() {
	with_key upgrade || fail 'exit 0'
	old_install "$WORK/upgrade" "$WORK/ci.pub" TWILIGHT_HOME=/home/deploy/twilight \
		'TWILIGHT_LOCK=/srv/a lock' TWILIGHT_HEALTH_TRIES=5
	cat >>"$WORK/upgrade/etc/ssh/authorized_keys.d/deploy" <<-END
		restrict,command="TWILIGHT_HOME='/srv/other' /usr/local/bin/twilight-deploy --actor ops --allow all" $(cat "$WORK/other.pub")
		# a note
	END
	dry_run upgrade TWILIGHT_HEALTH_SLEEP=3 >"$WORK/said" 2>&1 || fail 'exit 0'
	is 'the file' '[target default]
home = /home/deploy/twilight
health_tries = 5
health_sleep = 3
lock = /srv/a lock' "$(conf upgrade)"
	is 'the keys' 'restrict,from="127.0.0.1,::1",command="/usr/local/bin/twilight-deploy --actor ci" '"$CI
restrict,command=\"TWILIGHT_HOME='/srv/other' /usr/local/bin/twilight-deploy --actor ops --allow all\" $(cat "$WORK/other.pub")
# a note" "$(keys upgrade | sed 1d)"
	has "$WORK/said" 'may not roll back any more'
	has "$WORK/said" 'has lines with settings of their own'
	[ ! -e "$WORK/upgrade/etc/systemd/system/twilight-recover.service" ] || fail 'the second unit is gone'
	! grep recover "$WORK/upgrade/var/lib/twilight-deploy/made" || fail 'and its record'
	before=$(tree "$WORK/upgrade")
	dry_run upgrade || fail 'exit 0'
	is 'the tree after a second run' "$before" "$(tree "$WORK/upgrade")"
}

case_second_key_is_added() {
	dry_run key DEPLOY_PUBKEY_FILE="$WORK/other.pub" DEPLOY_ACTOR=ops DEPLOY_ALLOW=all || fail 'exit 0'
	is 'the keys, in their order' 'ci@example other@example' \
		"$(keys key | sed '1d;s/.* //' | tr '\n' ' ' | sed 's/ $//')"
	with_key key || fail 'exit 0'
	is 'the first replaced where it was' 'ci@example other@example' \
		"$(keys key | sed '1d;s/.* //' | tr '\n' ' ' | sed 's/ $//')"
}

case_key_file_without_newline() {
	printf '%s' "$CI" >"$WORK/bare.pub"
	printf '%s\n\n' "$CI" >"$WORK/blank.pub"
	with_key key || fail 'exit 0'
	wanted=$(keys key)
	for file in bare blank; do
		dry_run key DEPLOY_PUBKEY_FILE="$WORK/$file.pub" || fail 'exit 0'
		is "the keys, from $file.pub" "$wanted" "$(keys key)"
	done
}

case_without_key() {
	dry_run nokey >"$WORK/said" 2>&1 || fail 'exit 0'
	has "$WORK/said" 'warning: DEPLOY_PUBKEY_FILE is not set'
	[ ! -e "$WORK/nokey/etc/ssh/authorized_keys.d" ] || fail 'no key file'
}

# -- are the files valid for the programs that read them? ----------------------------------

sshd_says() {
	sshd -T -h "$WORK/ci" -f "$WORK/sshd_config" -C "user=$1,host=h,addr=127.0.0.1"
}

case_sshd_takes_its_file() {
	{
		echo "Include $WORK/all/etc/ssh/sshd_config.d/*.conf"
		echo 'PermitTTY yes'
	} >"$WORK/sshd_config"
	sshd -t -h "$WORK/ci" -f "$WORK/sshd_config" || fail 'sshd -t is content'
	sshd_says deploy >"$WORK/deploy.says" || fail 'sshd -T'
	sshd_says somebody >"$WORK/other.says" || fail 'sshd -T'
	while read -r line; do
		has "$WORK/deploy.says" "$line"
		! grep -qxF "$line" "$WORK/other.says" || fail "$line for deploy only"
	done <<-LINES
		permittty no
		permituserrc no
		disableforwarding yes
		authenticationmethods publickey
		authorizedkeysfile /etc/ssh/authorized_keys.d/%u
		exposeauthinfo yes
		clientaliveinterval 15
	LINES
	has "$WORK/deploy.says" 'permituserenvironment no'
}

# Programs that this machine lacks are no error of the unit.
case_units_verify() {
	systemd-analyze verify "$WORK"/all/etc/systemd/system/*.service >"$WORK/said" 2>&1
	is 'complaints' '' "$(grep -v 'is not executable: No such file' "$WORK/said")"
}

case_unit_at_boot() {
	units=$WORK/all/etc/systemd/system
	for line in After=docker.service User=deploy KillMode=process SuccessExitStatus=1 \
		Restart=on-failure RestartPreventExitStatus=5 \
		'ExecStart=/usr/local/bin/twilight-deploy --actor boot --trigger boot recover --start'; do
		grep -qxF "$line" "$units/twilight-backend.service" || fail "$line"
	done
	! grep -q '^[A-Z][a-z]*=.*twilight-backend' "$units/twilight-cloudflared.service" ||
		fail 'a tunnel that does not depend on the services'
}

# the ssh rule as the installer writes it, and as the snippet has it
case_tunnel_parses() {
	sed 's/SSH_HOSTNAME$/ssh.example.org/; s/ACCESS_TEAM$/example/; s/- ACCESS_AUD$/- 737646a56ab1df6ec9bddc7e5ca84eaf3b0768850f3ffb5d74f1534911fe3893/
		1i ingress:' "$TREE/deploy/cloudflared-ssh-ingress.yml.snippet" >"$WORK/snippet.yml"
	/usr/bin/python3 - "$WORK/all/etc/cloudflared/twilight.yml" "$WORK/snippet.yml" <<-'PYTHON' || fail 'that'
		import sys, yaml
		config, snippet = (yaml.safe_load(open(name)) for name in sys.argv[1:])
		http, ssh, rest = config["ingress"]
		assert config["tunnel"] == "6ff42ae2-765d-4adf-8112-31c55c1551ef", config
		assert config["no-autoupdate"] is True, config
		assert config["metrics"].startswith("127.0.0.1:"), config
		assert "originRequest" not in config, "not enforced there"
		assert http["service"] == "http://127.0.0.1:8081", http
		assert ssh["hostname"] == "ssh.example.org", ssh
		assert ssh["service"] == "ssh://localhost:22", ssh
		access = ssh["originRequest"]["access"]
		assert access["required"] is True, access
		assert access["teamName"] == "example" and len(access["audTag"]) == 1, access
		assert rest == {"service": "http_status:404"}, rest
		assert snippet["ingress"] == [ssh], (snippet, ssh)
	PYTHON
}

case_tunnel_validates() {
	cloudflared tunnel --config "$WORK/all/etc/cloudflared/twilight.yml" ingress validate >"$WORK/said" 2>&1
	grep -qx OK "$WORK/said" || fail "a line OK, not:$NL$(cat "$WORK/said")"
}

# -- what is refused: one line, and nothing written --------------------------------------

# refused WORDS SETTING…
case_refused() {
	words=$1
	shift
	rm -rf "$WORK/refused"
	if [ -d "$WORK/there" ]; then
		cp -a "$WORK/there" "$WORK/refused"
	else
		mkdir "$WORK/refused"
	fi
	before=$(tree "$WORK/refused")
	! with_key refused "$@" >"$WORK/said" 2>&1 || fail 'an exit code that is not 0'
	cat "$WORK/said"
	is 'refusals' 1 "$(grep -c '^install.sh: refused: ' "$WORK/said")"
	tail -n 1 "$WORK/said" | grep -qF -- "$words" || fail "$words"
	is 'the tree' "$before" "$(tree "$WORK/refused")"
}

case_refused_call() {
	words=$1
	shift
	! env -i PATH="$PATH" PROGRAM="$PROGRAM" "$@" >"$WORK/said" 2>&1 || fail 'an exit code that is not 0'
	has "$WORK/said" "$words"
	is 'lines' 1 "$(wc -l <"$WORK/said")"
}

# there PATH: refused because of a file of somebody else
there() {
	mkdir -p "$WORK/there/${1%/*}"
	echo 'not of this script' >"$WORK/there/$1"
	try refused "/$1 exists and was not written by this script"
	rm -rf "$WORK/there"
}

key_files() {
	: >"$WORK/empty.pub"
	cat "$WORK/ci.pub" "$WORK/other.pub" >"$WORK/two.pub"
	printf 'no-pty %s\n' "$CI" >"$WORK/options.pub"
	printf 'command="sh" %s\n' "$CI" >"$WORK/command.pub"
	printf '%s\r\n' "$CI" >"$WORK/crlf.pub"
	printf 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\n' >"$WORK/cut.pub"
	cp "$WORK/ci" "$WORK/private.pub"
}

refusals() {
	key_files
	dest=DESTDIR=$WORK/none
	drop=
	[ "$(id -u)" -ne 0 ] || drop='setpriv --reuid=65534 --clear-groups'
	# shellcheck disable=SC2086 # words
	try refused_call 'run it as root' $drop "$TREE/deploy/install.sh"
	try refused_call 'no such option: --force' "$TREE/deploy/install.sh" --force
	try refused_call 'DESTDIR is for --dry-run' "$dest" "$TREE/deploy/install.sh"
	try refused_call 'DESTDIR=/ is this system' DRY_RUN=1 DESTDIR=/ "$TREE/deploy/install.sh"
	while IFS='|' read -r words settings; do
		[ -n "$words" ] || continue
		# shellcheck disable=SC2086 # a list of settings
		try refused "$words" $settings
	done <<-TABLE
		no program at /nowhere|PROGRAM=/nowhere
		does not run on this host|PROGRAM=/bin/true
		must be a user of its own|DEPLOY_USER=root
		DEPLOY_USER=-x: must be|DEPLOY_USER=-x
		DEPLOY_USER=a:b: must be|DEPLOY_USER=a:b
		TWILIGHT_HOME=twilight: must be|TWILIGHT_HOME=twilight
		TWILIGHT_HOME=/srv: must be|TWILIGHT_HOME=/srv
		TWILIGHT_HOME=/home/../srv: must be written without|TWILIGHT_HOME=/home/../srv
		TWILIGHT_HOME=/home/deploy: must not be the home|TWILIGHT_HOME=/home/deploy
		must be at most 32 characters|DEPLOY_USER=a23456789012345678901234567890123
		TWILIGHT_HOME=/srv/a"b: must be|TWILIGHT_HOME=/srv/a"b
		TWILIGHT_STATE is set|TWILIGHT_STATE=/srv/state
		TWILIGHT_ENV_FILE is set|TWILIGHT_ENV_FILE=/srv/.env
		TWILIGHT_COMPOSE_DIR is set|TWILIGHT_COMPOSE_DIR=/srv/compose
		/etc/twilight-deploy.conf:4: a value in quotes|TWILIGHT_SERVICE="data"
		/etc/twilight-deploy.conf:4: bad setting health_tries=many|TWILIGHT_HEALTH_TRIES=many
		bad setting tag_pattern|TWILIGHT_TAG_PATTERN=(v1
		TWILIGHT_HELTH_URL is not a setting|TWILIGHT_HELTH_URL=http://localhost/
		/nowhere cannot be read|DEPLOY_PUBKEY_FILE=/nowhere
		must hold one line with one public key, and has 0|DEPLOY_PUBKEY_FILE=$WORK/empty.pub
		must hold one line with one public key, and has 2|DEPLOY_PUBKEY_FILE=$WORK/two.pub
		without options, not with: no-pty|DEPLOY_PUBKEY_FILE=$WORK/options.pub
		without options, not with: command="sh"|DEPLOY_PUBKEY_FILE=$WORK/command.pub
		carriage returns|DEPLOY_PUBKEY_FILE=$WORK/crlf.pub
		cannot read that key|DEPLOY_PUBKEY_FILE=$WORK/cut.pub
		is a private key|DEPLOY_PUBKEY_FILE=$WORK/private.pub
		DEPLOY_ACTOR=a"b: must be|DEPLOY_ACTOR=a"b
		DEPLOY_ALLOW=deploy,destroy: |DEPLOY_ALLOW=deploy,destroy
		DEPLOY_ALLOW=all": must be|DEPLOY_ALLOW=all"
		DEPLOY_TARGETS=a"b: must be|DEPLOY_TARGETS=a"b
		DEPLOY_FROM=1.2.3.4": must be|DEPLOY_FROM=1.2.3.4"
		DEPLOY_EXPIRES=20200101: must be a time in the future|DEPLOY_EXPIRES=20200101
		DEPLOY_EXPIRES=20991301: must be a time in the future|DEPLOY_EXPIRES=20991301
		DEPLOY_EXPIRES=209912: must be a time in the future|DEPLOY_EXPIRES=209912
		DEPLOY_EXPIRES=tomorrow: must be a time in the future|DEPLOY_EXPIRES=tomorrow
		must be the tunnel's UUID|TUNNEL_UUID=twilight-backend
		ACCESS_AUD=: must be set with TUNNEL_UUID|TUNNEL_UUID=$UUID HTTP_HOSTNAME=a SSH_HOSTNAME=b ACCESS_TEAM=c
		SSH_HOSTNAME=a: must be another|TUNNEL_UUID=$UUID HTTP_HOSTNAME=a SSH_HOSTNAME=a ACCESS_TEAM=c ACCESS_AUD=d
		SSH_HOSTNAME=a}b: must be|TUNNEL_UUID=$UUID HTTP_HOSTNAME=a SSH_HOSTNAME=a}b ACCESS_TEAM=c ACCESS_AUD=d
	TABLE
	there etc/systemd/system/twilight-backend.service
	there usr/lib/systemd/system/twilight-backend.service
	there home/somebody/.config/systemd/user/twilight-backend.service
	there etc/ssh/sshd_config.d/60-twilight-deploy.conf
	there etc/ssh/authorized_keys.d/deploy
	with_key there TWILIGHT_HOME=/srv/twilight >/dev/null 2>&1
	try refused 'this host is set up for deploy /srv/twilight' TWILIGHT_HOME=/srv/other
}

try all_files
try again_changes_nothing
try uninstall_leaves_nothing
try uninstall_keeps_what_is_not_its_own
for name in conf_has_the_settings conf_keeps_what_is_not_given conf_that_was_edited_is_kept \
	conf_of_an_operator_is_kept; do
	try $name
done
try key_line
try key_line_is_there_once
try dry_run_shows_the_conf
try user_is_remembered
try program_of_a_tarball
try second_key_is_added
try key_file_without_newline
try without_key
try upgrade
try sshd_takes_its_file
if command -v systemd-analyze >/dev/null; then
	try units_verify
else
	skip 'units_verify: no systemd-analyze here'
fi
try unit_at_boot
try tunnel_parses
if command -v cloudflared >/dev/null; then
	try tunnel_validates
else
	skip 'tunnel_validates: no cloudflared on PATH'
fi
refusals
