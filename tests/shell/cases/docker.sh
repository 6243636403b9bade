# docker.sh: docker is missing, broken, slow or killed; docker's environment.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# not_ready WHAT [WORDS]: docker does not answer, so nothing was begun.
not_ready() {
	remember
	deploy "$new"
	is "exit code: $1" "$rc" 4
	no_change
	matches "it says docker: $1" "$all" '[Dd]ocker'
	has "it says how: $1" "$all" "${2-}"
}

test_docker_is_missing() {
	mkdir "$T/bin"
	PATH_BEFORE=$PATH
	remember
	PATH=$T/bin
	SSH_ORIGINAL_COMMAND="deploy $new" "$PROGRAM" >"$T/out" 2>"$T/err" </dev/null
	rc=$?
	PATH=$PATH_BEFORE
	settle
	is "exit code" "$rc" 4
	matches "it says docker" "$all" '[Dd]ocker'
	no_change
}

test_docker_is_not_executable() {
	mkdir "$T/bin"
	cp "$MOCKS/silent/docker" "$T/bin/docker"
	chmod 644 "$T/bin/docker"
	PATH_BEFORE=$PATH
	remember
	PATH=$T/bin
	SSH_ORIGINAL_COMMAND="deploy $new" "$PROGRAM" >"$T/out" 2>"$T/err" </dev/null
	rc=$?
	PATH=$PATH_BEFORE
	settle
	is "exit code" "$rc" 4
	no_change
}

test_docker_is_no_program() {
	memory
	mkdir "$T/bin"
	printf 'not a program' >"$T/bin/docker"
	chmod 755 "$T/bin/docker"
	PATH=$T/bin:$PATH
	not_ready "garbage"
}

test_docker_hangs() {
	memory
	fault '* hang docker compose version'
	export TWILIGHT_CALL_LIMIT=1
	not_ready "hangs" "docker compose version did not answer within 1 s"
	nothing_hangs "the call that hung"
}

test_docker_is_killed() {
	memory
	fault '* kill docker compose version'
	not_ready "killed" "docker compose version was killed by signal 9 (Killed)"
}

# The messages are those of docker 20.10; their last line explains nothing.
test_docker_without_compose() {
	memory
	mkdir "$T/bin"
	cat >"$T/bin/docker" <<-END
		#!/bin/sh
		[ "\$1" = compose ] || exec "$(command -v docker)" "\$@"
		printf "docker: 'compose' is not a docker command.\nSee 'docker --help'\n" >&2
		exit 1
	END
	chmod 755 "$T/bin/docker"
	PATH=$T/bin:$PATH
	not_ready "no compose"
	has "why" "$all" "is not a docker command"
	has "what to do" "$all" "install the docker-compose-plugin"
}

# Without a socket there is no wait.
test_engine_is_not_there() {
	memory
	stop_engine
	LIMIT=10 not_ready "nobody listens" "$engine/docker.sock does not answer"
	rm "$engine/docker.sock"
	LIMIT=10 not_ready "no socket" "$engine/docker.sock does not answer"
}

# No label can hold such a path, so compose is asked for the project.
test_path_that_is_not_utf8() {
	memory v1.0.0
	TWILIGHT_COMPOSE_DIR=$home/source/$(printf 'd\377')
	export TWILIGHT_COMPOSE_DIR
	cp -r "$home/source/deploy" "$TWILIGHT_COMPOSE_DIR"
	op status
	is "exit code" "$rc" 0
	has "what runs" "$all" v1.0.0
}

# A docker that answers nothing is none: a stub has to be named as one.
test_engine_is_a_stub() {
	memory
	PATH=$MOCKS/silent:$real_path
	not_ready "a stub" "a stub needs \`engine = blind\`"
}

test_engine_fails() {
	memory
	export TWILIGHT_CALL_LIMIT=1
	for call in 'GET /version' 'GET /containers/*/json'; do
		fault "* 500 $call :: out of order"
		not_ready "$call" "answered 500: out of order"
		runs "$old"
	done
	fault '* close GET /version'
	not_ready "closed" "does not answer"
	fault '* fail docker compose config :: no'
	not_ready "compose config" "docker compose config failed (exit 1): Error response from daemon: no"
}

# What docker says of its failure is shown, but for what .env holds.
test_docker_quotes_a_secret() {
	memory
	fault "* fail=15 docker compose config :: cannot use $secret as it is"
	not_ready "a secret" "docker compose config failed (exit 15): Error response from daemon: cannot use ******* as it is"
	fault
}

# A mebibyte on each of its streams: nobody may block on a full pipe.
test_docker_talks_much() {
	memory v1.0.0
	for call in "compose up" "image prune"; do
		publish v1.0.1
		fault "* flood docker $call"
		deploy v1.0.1
		is "exit code when it floods in $call" "$rc" 0
	done
	fault '* flood docker compose version'
	not_ready "it floods in compose version"
}

# spy: a docker that writes its environment to $T/spied, then runs the mock.
spy() {
	mkdir "$T/bin"
	cat >"$T/bin/docker" <<-END
		#!/bin/sh
		case \$* in
		"compose $1 "*) env >"$T/spied"; pwd >"$T/spied.pwd"; ls -l /proc/self/fd >"$T/spied.fd" ;;
		esac
		exec "$MOCKS/silent/docker" "\$@"
	END
	chmod 755 "$T/bin/docker"
	PATH=$T/bin:$PATH
}

test_environment_of_docker() {
	spy pull
	export BASH_ENV=/x LD_LIBRARY_PATH=/x COMPOSE_PROFILES=evil COMPOSE_PROJECT_NAME=evil \
		COMPOSE_FILE=/evil DOCKER_TLS=evil TWILIGHT_VERSION=evil HTTP_PROXY=evil ENV=/x \
		SSH_CONNECTION=x SSH_CLIENT=x DOCKER_HOST=unix:///kept
	deploy "$new"
	is "exit code" "$rc" 0
	spied=$(cat "$T/spied")
	has "the version" "$spied" "TWILIGHT_VERSION=$new"
	has "the compose file" "$spied" "COMPOSE_FILE=$home/source/deploy/compose.yml"
	has "the env file" "$spied" "COMPOSE_ENV_FILES=$env"
	has "a kept one" "$spied" "DOCKER_HOST=unix:///kept"
	has "one kept by a setting" "$spied" "MOCK_DOCKER_LOG=$log"
	lacks "nothing else" "$spied" evil
	is "only known names" "$(sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p' "$T/spied" |
		grep -vx -e PATH -e HOME -e USER -e LOGNAME -e SHELL -e LANG -e PWD -e _ -e OLDPWD \
			-e DOCKER_HOST -e XDG_RUNTIME_DIR -e 'COMPOSE_[A-Z_]*' -e 'MOCK_[A-Z_]*' \
			-e TWILIGHT_VERSION | tr '\n' ' ')" ""
	is "where it runs" "$(cat "$T/spied.pwd")" "$home/source/deploy"
	is "standard input" "$(sed -n 's/.* 0 -> //p' "$T/spied.fd")" /dev/null
}

# `up` must not pull, build, or touch other services.
test_flags_of_up() {
	deploy "$new"
	line=$(grep '^docker compose up' "$log")
	for flag in --no-deps --no-build "--pull never"; do
		has "up" "$line" " $flag"
	done
	matches "the founding words come first" "$line" '^docker compose up -d data( |$)'
}

test_keep_env_is_a_list() {
	spy pull
	export FOO=kept BAR=dropped TWILIGHT_KEEP_ENV="$TWILIGHT_KEEP_ENV FOO"
	deploy "$new"
	is "exit code" "$rc" 0
	has "named" "$(cat "$T/spied")" FOO=kept
	lacks "not named" "$(cat "$T/spied")" BAR=
}

# The socket is found as docker's command line finds it.
test_context() {
	memory
	socket=$DOCKER_HOST
	unset DOCKER_HOST
	export DOCKER_CONFIG="$T/docker"
	mkdir -p "$DOCKER_CONFIG/contexts/meta/a"
	printf '{"Name":"here","Endpoints":{"docker":{"Host":"%s"}}}\n' "$socket" \
		>"$DOCKER_CONFIG/contexts/meta/a/meta.json"
	echo '{"currentContext":"here"}' >"$DOCKER_CONFIG/config.json"
	publish "$new"
	deploy "$new"
	is "the context of config.json" "$rc" 0
	runs "$new"
	echo '{}' >"$DOCKER_CONFIG/config.json"
	DOCKER_CONTEXT=here op status
	is "DOCKER_CONTEXT" "$rc" 0
	DOCKER_CONTEXT=nowhere op status
	is "a context that is none" "$rc" 4
	has "it says which" "$all" "nowhere"
	# DOCKER_HOST wins
	DOCKER_HOST=$socket DOCKER_CONTEXT=nowhere op status
	is "DOCKER_HOST and DOCKER_CONTEXT" "$rc" 0
}

test_engine_elsewhere() {
	memory
	for host in tcp://127.0.0.1:2375 ssh://user@host unix: fd:// ''; do
		remember
		DOCKER_HOST=${host:-unix:///$(printf '%0200d' 0)} op deploy "$new"
		is "exit code: $host" "$rc" 4
		has "it says so: $host" "$err" "not a Unix socket of this host"
		no_change
	done
}
