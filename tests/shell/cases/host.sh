# host.sh: settings, users, permissions, disk.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

nobody=65534

# as_nobody: the program runs as another user, who owns the home.
as_nobody() {
	needs root
	needs setpriv
	AS="setpriv --reuid=$nobody --regid=$nobody --clear-groups"
	cp "$PROGRAM" "$T/program"
	chmod 755 "$T/program" "$T"
	PROGRAM=$T/program
	chown -R $nobody:$nobody "$home"
	chmod 666 "$log"
	# The stub may be in a folder that only root can read.
	cp -R "$MOCKS/silent" "$T/silent"
	PATH=$T/silent:$PATH
	parent=$(dirname "$T")
	chmod a+x "$parent"
	$AS test -x "$T/program" || skip "the tree is not open to others"
}

test_not_root() {
	as_nobody
	deploy "$new"
	is "exit code" "$rc" 0
	is ".env" "$(version)" "$new"
	is "owner" "$(stat -c %u "$env")" $nobody
}

test_other_user() {
	needs root
	chown $nobody "$env"
	remember
	deploy "$new"
	is "exit code" "$rc" 4
	matches "what to type" "$all" 'sudo -u [^ ]+ twilight-deploy'
	op freeze it moves
	is "exit code of a freeze" "$rc" 4
	op unfreeze
	is "exit code of unfreeze" "$rc" 4
	is "nothing is made" "$(ls -d "$state" 2>/dev/null)" ""
	no_change
}

# A misspelt setting has no effect: a warning names it.
test_no_setting() {
	export TWILIGHT_HELTH_URL=http://localhost:1/
	deploy "$new"
	is "exit code" "$rc" 0
	has "it is named" "$err" "TWILIGHT_HELTH_URL is not a setting"
	is "and nothing else" "$(printf '%s\n' "$err" | grep -c 'not a setting')" 1
}

test_home_not_writable() {
	as_nobody
	chown root "$home"
	chmod 755 "$home"
	remember
	deploy "$new"
	is "exit code" "$rc" 4
	no_change
}

test_env_file_unreadable() {
	as_nobody
	chmod 000 "$env"
	deploy "$new"
	is "exit code" "$rc" 4
	is "nothing is started" "$(calls compose\ pull)$(calls compose\ up)" 00
	is "mode" "$(stat -c %a "$env")" 0
}

test_state_folder_not_ours() {
	as_nobody
	mkdir "$state"
	chown root "$state"
	chmod 700 "$state"
	remember
	deploy "$new"
	is "exit code" "$rc" 4
	no_change
	net status
	is "exit code of status" "$rc" 4
	has "what to do" "$err" "run it as its owner"
}

# The holder's words would be written over it.
test_env_file_for_a_lock() {
	TWILIGHT_LOCK=$env
	export TWILIGHT_LOCK
	remember
	deploy "$new"
	is "exit code" "$rc" 4
	has "it says why" "$all" "the lock file is the env file $env"
	no_change
}

test_works_from_anywhere() {
	mkdir "$T/gone"
	cd "$T/gone" || return
	rmdir "$T/gone"
	deploy "$new"
	is "exit code" "$rc" 0
	is ".env" "$(version)" "$new"
}

test_compose_folder_elsewhere() {
	mv "$home/source/deploy" "$T/deploy"
	TWILIGHT_COMPOSE_DIR=$T/deploy
	export TWILIGHT_COMPOSE_DIR
	deploy "$new"
	is "exit code" "$rc" 0
}

# The name of the home has a space, a quote and a dollar.
test_strange_home() {
	mv "$home" "$T/it's \$HOME here"
	TWILIGHT_HOME="$T/it's \$HOME here"
	env=$TWILIGHT_HOME/.env
	deploy "$new"
	is "exit code" "$rc" 0
	is ".env" "$(version)" "$new"
	mv "$TWILIGHT_HOME" "$home"
}

test_umask_is_ours() {
	umask 000
	deploy "$new"
	is "exit code" "$rc" 0
	is "files are for the owner only" "$(find "$state" -perm /077)" ""
}

# A file-size limit is an error like a full disk, and not a SIGXFSZ that kills us.
test_file_size_limit() {
	[ -z "${MEMCHECK-}" ] || skip "memcheck's own files end there, too"
	for blocks in 0 1; do
		{
			MOCK_DOCKER_LOG='' sh -c 'ulimit -f "$1" && exec "$0" deploy "$2"' \
				"$PROGRAM" $blocks "$new" </dev/null
			echo "code $?"
		} 2>&1 | cat >"$T/limited"
		matches "exit code with $blocks blocks" "$(sed -n 's/^code //p' "$T/limited")" '^[0-6]$'
		is ".env is whole" "$(grep -c . "$env")" 2
	done
}

# TWILIGHT_NO_NEW_PRIVS existed in earlier versions, for a docker under sudo.
test_docker_gains_no_privilege() {
	export TWILIGHT_NO_NEW_PRIVS=0
	mkdir "$T/bin"
	cat >"$T/bin/docker" <<-END
		#!/bin/sh
		grep NoNewPrivs: /proc/self/status >"$T/privs"
		exec "$MOCKS/silent/docker" "\$@"
	END
	chmod 755 "$T/bin/docker"
	PATH=$T/bin:$PATH
	deploy "$new"
	is "exit code" "$rc" 0
	has "a warning" "$all" "TWILIGHT_NO_NEW_PRIVS is not a setting and has no effect"
	matches "no_new_privs" "$(cat "$T/privs")" '1$'
}

test_output_is_plain() {
	deploy "$new"
	is "exit code" "$rc" 0
	is "no control byte" "$(printf '%s' "$all" | LC_ALL=C tr -d '[:print:]\n')" ""
}

# A good deploy, a bad one and a rollback, verbose: `finale` looks for the secret.
test_secret_stays() {
	memory v1.0.0
	publish v1.0.1
	publish v1.0.2 never
	deploy v1.0.1 --verbose
	deploy v1.0.2
	op --verbose rollback
	net status
	net history
	has "something was said" "$(cat "$T/talk")" v1.0.1
	is "the secret is still where it was" "$(grep -c "$secret" "$env")" 1
}

# The images of the containerd store are in containerd's folder, not in docker's.
test_containerd_store_is_measured() {
	needs root
	unshare -m true 2>/dev/null || skip "no mount namespaces here"
	memory
	publish "$new"
	cat >"$T/small.sh" <<-'END'
		mount -t tmpfs -o size=4m tmpfs /var/lib && mkdir /var/lib/containerd && exec "$@"
	END
	export TWILIGHT_DISK_MIN=8M
	AS="unshare -m sh $T/small.sh"
	echo '{"DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]}' >"$engine/info"
	remember
	op deploy "$new"
	is "exit code" "$rc" 4
	has "it names the folder" "$err" "/var/lib/containerd"
	no_change
	rm "$engine/info"
	op deploy "$new"
	is "exit code, docker's own store" "$rc" 0
}
