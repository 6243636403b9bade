# shellcheck shell=sh
# lib.sh: how a case is run and reported.  Sourced by dry.sh and root.sh; needs WORK.

NL='
'

# try CASE [ARGUMENT…]: runs case_CASE in a subshell; the first expectation that does not
# hold ends it.  The first argument is a part of the name.
try() {
	try_name=$(printf '%s' "$1${2+: $2}" | tr -cs 'A-Za-z0-9_.:/=\n' '_')
	try_case=case_$1
	shift
	if ("$try_case" "$@") >"$WORK/out" 2>&1; then
		echo "PASS $try_name"
	else
		echo "FAIL $try_name"
		sed 's/^/     /' "$WORK/out"
	fi
}

skip() { echo "SKIP $*"; }

fail() {
	printf '  expected: %s\n' "$*"
	exit 1
}

# is WHAT WANTED GOT
is() {
	[ "$2" = "$3" ] || fail "$1:$NL$2${NL}not:$NL$3"
}

# has FILE TEXT
has() {
	grep -qF -- "$2" "$1" || fail "in $1: $2${NL}not:$NL$(cat "$1")"
}

# tree DIR: names, owners, modes, sizes and times.
tree() {
	(cd "$1" && find . -mindepth 1 \( -type d -printf '%P %y %m %U:%G %T@\n' -o \
		-printf '%P %y %m %U:%G %s %T@ %l\n' \) | sort)
}

# old_install ROOT PUBKEY NAME=VALUE…: turns what the installer wrote below ROOT into what
# the installer of version 0.1.0 wrote: settings in the units and in the keys' lines, two
# units, no configuration file.  The first setting is TWILIGHT_HOME.
old_install() {
	oi_root=$1
	oi_pubkey=$(cat "$2")
	shift 2
	oi_mark='# Installed by deploy/install.sh of twilight-deploy, which writes it anew.'
	oi_units=$oi_root/etc/systemd/system
	oi_line='' oi_environment=''
	for oi_setting; do
		oi_line="$oi_line${oi_setting%%=*}='${oi_setting#*=}' "
		oi_environment="${oi_environment}Environment=\"$oi_setting\"$NL"
	done
	cat >"$oi_units/twilight-recover.service" <<-END
		$oi_mark
		[Service]
		Type=oneshot
		User=deploy
		${oi_environment}ExecStart=/usr/local/bin/twilight-deploy --actor boot recover
		[Install]
		WantedBy=multi-user.target
	END
	printf '%s\n[Service]\nExecStart=/bin/true\n' "$oi_mark" >"$oi_units/twilight-backend.service"
	printf '%s\n' "# Installed by deploy/install.sh of twilight-deploy; a line is a key: to revoke it, remove the line." \
		"restrict,from=\"127.0.0.1,::1\",command=\"$oi_line/usr/local/bin/twilight-deploy --actor ci --allow deploy,rollback,status\" $oi_pubkey" \
		>"$oi_root/etc/ssh/authorized_keys.d/deploy"
	printf '%s\n' 'file /etc/systemd/system/twilight-recover.service' \
		'unit twilight-recover.service' >>"$oi_root/var/lib/twilight-deploy/made"
	sed -i '/twilight-deploy.conf$/d' "$oi_root/var/lib/twilight-deploy/made"
	rm "$oi_root/etc/twilight-deploy.conf"
}
