# docker.sh: a docker that is missing, broken, slow or dying; and what it gets to see.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# not_ready WHAT [WORDS]: docker cannot be asked, so nothing was begun.
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
	cp "$MOCKS/docker" "$T/bin/docker"
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
	mkdir "$T/bin"
	printf 'not a program' >"$T/bin/docker"
	chmod 755 "$T/bin/docker"
	PATH=$T/bin:$PATH
	not_ready "garbage"
}

test_docker_hangs() {
	export TWILIGHT_CALL_LIMIT=1 MOCK_DOCKER_HANG="compose version"
	not_ready "hangs" "docker compose version did not answer within 1 s"
	still_hangs "$(tail -n 1 "$log.hanging")" && wrong "the call that hung" "ended" "still there"
}

test_docker_hangs_and_ignores_term() {
	export TWILIGHT_CALL_LIMIT=1 MOCK_DOCKER_HANG="compose version" MOCK_DOCKER_DEAF=1
	not_ready "deaf"
	still_hangs "$(tail -n 1 "$log.hanging")" && wrong "the call that hung" "ended" "still there"
}

test_docker_is_killed() {
	export MOCK_DOCKER_KILL="compose version"
	not_ready "killed" "docker compose version was killed by signal 9 (Killed)"
}

# The words are those of docker 20.10; what ends them says nothing.
test_docker_without_compose() {
	mkdir "$T/bin"
	cat >"$T/bin/docker" <<-'END'
		#!/bin/sh
		printf "docker: 'compose' is not a docker command.\nSee 'docker --help'\n" >&2
		exit 1
	END
	chmod 755 "$T/bin/docker"
	PATH=$T/bin:$PATH
	not_ready "no compose"
	has "why" "$all" "is not a docker command"
	has "what to do" "$all" "install the docker-compose-plugin"
}

test_engine_is_not_there() {
	memory
	for call in info ps "compose config" inspect; do
		MOCK_DOCKER_FAIL=$call
		export MOCK_DOCKER_FAIL
		: >"$log"
		not_ready "$call"
		has "which command it was" "$all" "docker $call failed"
		runs "$old"
	done
}

test_engine_hangs() {
	memory
	export TWILIGHT_CALL_LIMIT=1 MOCK_DOCKER_HANG=ps
	not_ready "ps hangs"
	runs "$old"
}

# What docker says of its failure is shown, but for what .env holds.
test_docker_quotes_a_secret() {
	memory
	mkdir "$T/secret"
	cat >"$T/secret/docker" <<-END
		#!/bin/sh
		case \$* in
		"compose config "*)
			echo "cannot use $secret as it is" >&2
			exit 15
			;;
		esac
		exec "$MOCKS/docker" "\$@"
	END
	chmod 755 "$T/secret/docker"
	PATH=$T/secret:$PATH
	not_ready "a secret" "docker compose config failed (exit 15): cannot use ******* as it is"
}

# A compose that does not know COMPOSE_ENV_FILES would deploy something else.
test_old_compose() {
	memory
	mkdir "$T/bin"
	cat >"$T/bin/docker" <<-END
		#!/bin/sh
		if [ "\$*" = "compose version" ] || [ "\$*" = "compose version --short" ]; then
			echo "Docker Compose version v2.10.2"
			exit 0
		fi
		exec "$MOCKS/docker" "\$@"
	END
	chmod 755 "$T/bin/docker"
	PATH=$T/bin:$PATH
	not_ready "too old"
	matches "it says what is needed" "$all" '2\.[0-9]+'
}

test_pull_hangs() {
	export TWILIGHT_PULL_LIMIT=1 MOCK_DOCKER_HANG="compose pull"
	deploy "$new"
	is "exit code" "$rc" 1
	is ".env" "$(version)" "$old"
	is "up was not called" "$(calls 'compose up')" 0
	still_hangs "$(tail -n 1 "$log.hanging")" && wrong "the pull" "ended" "still there"
}

test_pull_is_killed() {
	export MOCK_DOCKER_KILL="compose pull"
	deploy "$new"
	is "exit code" "$rc" 1
	is ".env" "$(version)" "$old"
	is "up was not called" "$(calls 'compose up')" 0
}

test_up_hangs() {
	memory v1.0.0
	publish v1.0.1
	export TWILIGHT_UP_LIMIT=1 MOCK_DOCKER_HANG="compose up"
	deploy v1.0.1
	matches "exit code" "$rc" '^(1|5)$'
	runs v1.0.0
	while read -r pid; do
		still_hangs "$pid" && wrong "the up" "ended" "still there"
	done <"$log.hanging"
}

test_up_is_killed() {
	memory v1.0.0
	publish v1.0.1
	export MOCK_DOCKER_KILL="compose up"
	deploy v1.0.1
	matches "exit code" "$rc" '^(1|5)$'
	runs v1.0.0
}

# A mebibyte on each of its streams: nobody may block on a full pipe.
test_docker_talks_much() {
	for call in "compose version" "compose pull" "compose up" "image prune"; do
		MOCK_DOCKER_FLOOD=$call
		export MOCK_DOCKER_FLOOD
		deploy "$new"
		# After a flood `compose version` is no silent mock any more.
		[ "$call" = "compose version" ] || is "exit code when it floods in $call" "$rc" 0
		[ "$rc" != 124 ] || wrong "when it floods in $call" "an end" "none"
	done
}

# spy: docker's environment goes to $T/spied, then the mock goes on.
spy() {
	mkdir "$T/bin"
	cat >"$T/bin/docker" <<-END
		#!/bin/sh
		case \$* in
		"compose $1 "*) env >"$T/spied"; pwd >"$T/spied.pwd"; ls -l /proc/self/fd >"$T/spied.fd" ;;
		esac
		exec "$MOCKS/docker" "\$@"
	END
	chmod 755 "$T/bin/docker"
	PATH=$T/bin:$PATH
}

test_environment_of_docker() {
	spy pull
	export BASH_ENV=/x LD_LIBRARY_PATH=/x COMPOSE_PROFILES=evil COMPOSE_PROJECT_NAME=evil \
		COMPOSE_FILE=/evil DOCKER_CONTEXT=evil TWILIGHT_VERSION=evil HTTP_PROXY=evil ENV=/x \
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
			-e 'DOCKER_[A-Z]*' -e XDG_RUNTIME_DIR -e 'COMPOSE_[A-Z_]*' -e 'MOCK_[A-Z_]*' \
			-e TWILIGHT_VERSION | tr '\n' ' ')" ""
	is "where it runs" "$(cat "$T/spied.pwd")" "$home/source/deploy"
	is "standard input" "$(sed -n 's/.* 0 -> //p' "$T/spied.fd")" /dev/null
}

# up must not fetch, build or touch anything but the service.
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
