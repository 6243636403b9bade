# shellcheck shell=sh
# login.sh: a registry that wants a password, with `docker login` and with a credential
# helper.  Sourced by run.sh (world.sh).
#
# What is read here is set in world.sh, and what is set here is read in run.sh:
# shellcheck disable=SC2034,SC2153,SC2154

SCENARIOS_LOGIN="
registry_login
"

PULL_PASSWORD=correct-horse-battery

# guarded_start: a second registry over the data of the first, which wants puller's
# password.  Sets GUARDED (127.0.0.1:PORT) and GUARDED_PID.
guarded_start() {
	free_port
	GUARDED=127.0.0.1:$FREE_PORT
	# perl-base is on every Debian, htpasswd is not; the registry takes bcrypt only
	# shellcheck disable=SC2016 # perl's
	printf 'puller:%s\n' "$(perl -e 'print crypt($ARGV[0], q($2y$05$) . "e" x 22)' \
		"$PULL_PASSWORD")" >"$SPARE/htpasswd"
	cat >"$SPARE/guarded.yml" <<YML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $REGISTRY_DIR/data}
auth: {htpasswd: {realm: e2e, path: $SPARE/htpasswd}}
http: {addr: "$GUARDED"}
YML
	docker-registry serve "$SPARE/guarded.yml" >"$SPARE/guarded.log" 2>&1 </dev/null &
	GUARDED_PID=$!
	trap 'guarded_stop; home_remove' EXIT
	wait_for 30 guarded_refuses || fail "a registry that wants a password"
}

guarded_refuses() {
	[ "$(curl -s -o /dev/null -w '%{http_code}' "http://$GUARDED/v2/")" = 401 ]
}

guarded_stop() { end_process "$GUARDED_PID" 10; }

# guarded_login: the user who deploys has a configuration of docker's own, and $SPARE/bin on
# PATH.
guarded_login() {
	mkdir "$SPARE/docker" "$SPARE/bin"
	[ ! -d "$DOCKER_CONFIG/cli-plugins" ] ||
		ln -s "$DOCKER_CONFIG/cli-plugins" "$SPARE/docker/cli-plugins"
	setting DOCKER_CONFIG "$SPARE/docker"
	setting PATH "$SPARE/bin:$PATH"
}

# helper_make NAME: docker-credential-NAME, which needs a key, as the one of ECR.
helper_make() {
	cat >"$SPARE/bin/docker-credential-$1" <<'SH'
#!/bin/sh
read -r host
[ "$1" = get ] && [ -n "$host" ] && [ -n "$AWS_SECRET_ACCESS_KEY" ] || {
	echo 'no AWS_SECRET_ACCESS_KEY'
	exit 1
}
printf '{"ServerURL": "%s", "Username": "puller", "Secret": "%s"}\n' "$host" \
	"$AWS_SECRET_ACCESS_KEY"
SH
	chmod +x "$SPARE/bin/docker-credential-$1"
	setting AWS_SECRET_ACCESS_KEY "$PULL_PASSWORD"
}

# docker_config JSON: the config.json of the user who deploys.
docker_config() { printf '%s\n' "$1" >"$SPARE/docker/config.json"; }

# refused TAG: nothing was pulled, and nothing is changed.
refused() {
	deploy "$1"
	code 1
	[ "$(container_state)" = "$before" ] || fail "the container was not touched"
	at_rest
	recorded deploy 1 discarded "$1"
	cat "$OUT" >>"$SPARE/all"
}

deployed() {
	deploy "$1"
	code 0
	runs "$IMAGE" "$1"
	at_rest
	before=$(container_state)
	cat "$OUT" >>"$SPARE/all"
}

# Of none too.
container_state() {
	cs_id=$(containers -a)
	[ -z "$cs_id" ] || docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$cs_id"
}

# In clear, and as config.json has it.
no_password() {
	for np_text in "$PULL_PASSWORD" "$(printf 'puller:%s' "$PULL_PASSWORD" | base64)"; do
		! grep -rF "$np_text" "$SPARE/all" "$HOME_DIR" || fail "no password: $np_text"
	done
}

scenario_registry_login() {
	publish sha-0000001 healthy
	guarded_start
	sed -i "s|$REPO:|$GUARDED/$REPOSITORY:|" "$COMPOSE_DIR/compose.yml"
	guarded_login
	env_write sha-0000000
	before=

	# no login
	refused sha-0000001
	said "$GUARDED requires a login, or refuses the one it got"
	said "next: docker login $GUARDED as the user who deploys"
	nothing_runs

	# a wrong one
	docker_config "{\"auths\": {\"$GUARDED\": {\"auth\": \"$(printf puller:no | base64)\"}}}"
	refused sha-0000001
	said "$GUARDED requires a login, or refuses the one it got"

	# as deploy/README.md has it
	docker_config '{}'
	printf %s "$PULL_PASSWORD" | docker --config "$SPARE/docker" login -u puller \
		--password-stdin "$GUARDED" || fail "docker login"
	deployed sha-0000001

	# what is refused for another reason does not ask for a login
	refused sha-0000009
	said "$GUARDED has no such tag"
	said_not 'docker login'

	# a helper that is not there, one that fails, one that gets what it needs
	publish sha-0000002 healthy
	docker_config "{\"credHelpers\": {\"$GUARDED\": \"e2e\"}}"
	refused sha-0000002
	said "the credential helper for $GUARDED fails"
	helper_make e2e
	refused sha-0000002
	said "the credential helper for $GUARDED fails"
	said 'no AWS_SECRET_ACCESS_KEY'
	setting TWILIGHT_KEEP_ENV AWS_SECRET_ACCESS_KEY
	deployed sha-0000002

	# away
	guarded_stop
	refused sha-0000003
	said "$GUARDED cannot be reached"
	said_not 'docker login'
	no_password
}
