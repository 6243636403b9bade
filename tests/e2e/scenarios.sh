# shellcheck shell=sh
# scenarios.sh: deploys and rollbacks, seen from outside.  Sourced by run.sh; each function runs
# in a subshell with its own home (world.sh).
#
# sha-000000N is the N-th version, vN_image its image.
#
# Variables come from world.sh, and are read in run.sh:
# shellcheck disable=SC2034,SC2153,SC2154

SCENARIOS="
first_deploy_bad
deploy_good
deploy_crash_loop
deploy_exits_at_once
deploy_tag_missing
deploy_never_healthy_without_registry
rollback_twice
latest_to_bad_latest
which_image
two_deploys_at_once
two_targets_at_once
two_targets_with_one_env
other_names_in_env
env_says_another_tag
prune_keeps_what_counts
refused_requests
roles
nothing_but_the_program
shipped_files
env_as_compose_reads_it
"

# A first deploy, which is where most stories begin.
v1_runs() {
	publish sha-0000001 healthy
	v1_image=$IMAGE
	env_write sha-0000000
	deploy sha-0000001
	code 0
	said 'rollback target: none'
	said 'deploying:       sha-0000001'
	said 'healthy after '
	env_is sha-0000001
	runs "$v1_image" sha-0000001
	at_rest
	recorded deploy 0 deployed sha-0000001 "$v1_image"
}

# After a failed deploy of v2: v1 runs as before, and the history has the failure.
v1_serves_again() {
	code 1
	said 'HEALTH FAILED -- rolling back to sha-0000001'
	env_is sha-0000001
	runs "$v1_image" sha-0000001
	at_rest
	recorded deploy 1 'rolled back' sha-0000002 "$v2_image"
}

# Nothing ran before, so nothing runs afterwards, and that is said.  The image of .env's
# version is on the host, but a revert starts what ran and nothing else.
scenario_first_deploy_bad() {
	publish sha-0000001 healthy
	docker pull -q "$REPO:sha-0000001"
	publish sha-0000002 never
	v2_image=$IMAGE
	env_write sha-0000001
	deploy sha-0000002
	code 1
	said 'HEALTH FAILED'
	said 'nothing ran before either'
	env_is sha-0000001
	nothing_runs
	at_rest
	recorded deploy 1 'rolled back' sha-0000002 "$v2_image"
}

scenario_deploy_good() {
	v1_runs
	publish sha-0000002 healthy
	deploy sha-0000002
	code 0
	said 'rollback target: sha-0000001'
	said 'deploying:       sha-0000002'
	said 'healthy after '
	said_not 'HEALTH FAILED'
	env_is sha-0000002
	runs "$IMAGE" sha-0000002
	# pruning must keep what a rollback needs
	on_host "$v1_image" || fail "the previous image is still on the host"
	at_rest
	recorded deploy 0 deployed sha-0000002 "$IMAGE"
	[ "$(record_field from tag) $(record_field from revision)" = "sha-0000001 $v1_image" ] ||
		fail "history: from sha-0000001 $v1_image, not:$NL$(last_record)"
	# deploying the same version again leaves the container alone
	same=$(container_now)
	deploy sha-0000002
	code 0
	[ "$(container_now)" = "$same" ] || fail "deploying what runs leaves its container alone"
}

# It answers 200, and dies 300 ms after its start: one good answer proves nothing.
scenario_deploy_crash_loop() {
	v1_runs
	publish sha-0000002 crash=300
	v2_image=$IMAGE
	deploy sha-0000002
	v1_serves_again
	said 'crashed as told'
}

scenario_deploy_exits_at_once() {
	v1_runs
	publish sha-0000002 exit
	v2_image=$IMAGE
	deploy sha-0000002
	v1_serves_again
	said 'ended as told'
}

# A missing tag changes nothing: same file, same container.
scenario_deploy_tag_missing() {
	v1_runs
	file=$(stat -c '%i %y %z' "$ENV_FILE")
	same=$(container_now)
	deploy sha-0000009
	code 1
	env_is sha-0000001
	[ "$(stat -c '%i %y %z' "$ENV_FILE")" = "$file" ] || fail ".env was not written at all"
	[ "$(container_now)" = "$same" ] || fail "the container was not touched"
	runs "$v1_image" sha-0000001
	at_rest
	recorded deploy 1 discarded sha-0000009
}

scenario_deploy_never_healthy_without_registry() {
	v1_runs
	publish sha-0000002 never
	v2_image=$IMAGE
	keys_write
	ssh_as ci deploy sha-0000002 >"$OUT" 2>&1 </dev/null &
	client=$!
	# now the image is on the host
	wait_for 60 journal_says 'apply|verify' || fail "the deploy reaches the swap"
	registry_stop
	wait $client
	CODE=$?
	registry_start
	cat "$OUT"
	v1_serves_again
	# the evidence: what it answered, and the last lines that the container logged
	said 503
	said 'version sha-0000002 listens'
}

scenario_rollback_twice() {
	v1_runs
	publish sha-0000002 healthy
	v2_image=$IMAGE
	publish sha-0000003 healthy
	deploy sha-0000002
	code 0
	deploy sha-0000003
	code 0
	ask operator rollback
	code 0
	env_is sha-0000002
	runs "$v2_image" sha-0000002
	# not to the version that was just left
	ask operator rollback
	code 0
	env_is sha-0000001
	runs "$v1_image" sha-0000001
	at_rest
	recorded rollback 0 deployed sha-0000001 "$v1_image"
	lines=$(records)
	ask operator rollback
	code 2
	said 'no known-good version to roll back to'
	env_is sha-0000001
	runs "$v1_image" sha-0000001
	at_rest
	[ "$(records)" -eq "$lines" ] || fail "a refusal is not in the history of deploys"
	# a version that was left and deployed again counts again; and a rollback to a tag
	deploy sha-0000002
	code 0
	ask operator rollback sha-0000009
	code 2
	ask operator rollback sha-0000001
	code 0
	env_is sha-0000001
	runs "$v1_image" sha-0000001
}

# .env has `latest` before and after; the rollback restores the image.
scenario_latest_to_bad_latest() {
	publish latest healthy good
	good_image=$IMAGE
	env_write latest
	deploy latest
	code 0
	runs "$good_image" good
	publish latest never bad
	bad_image=$IMAGE
	deploy latest
	code 1
	said 'HEALTH FAILED -- rolling back to latest'
	env_is latest
	runs "$good_image" good
	name_is latest "$good_image"
	at_rest
	recorded deploy 1 'rolled back' latest "$bad_image"
	# a good release with the same name is deployed
	publish latest healthy better
	deploy latest
	code 0
	runs "$IMAGE" better
	name_is latest "$IMAGE"
}

# refused_image TAG TEXT REQUEST…: it was fetched, and v1 runs as before.
refused_image() {
	ri_tag=$1 ri_text=$2
	shift 2
	ask ci "$@"
	code 2
	said "$ri_text"
	said 'nothing was changed, what ran runs as before'
	env_is sha-0000001
	runs "$v1_image" sha-0000001
	at_rest
	recorded deploy 2 discarded "$ri_tag"
}

# signature NAME: of a text by a key in $SPARE.
signature() {
	printf %s "$1" | ssh-keygen -q -Y sign -n twilight-deploy -f "$SPARE/signer" 2>/dev/null |
		sed '1d;$d' | tr -d '\n'
}

# The digest, the revision label, a tag that moved, a signature, and what the service says.
scenario_which_image() {
	v1_runs
	v1_digest=$(record_field to digest)
	publish sha-0000002 healthy
	v2_image=$IMAGE
	refused_image sha-0000002 "not $v1_digest" deploy sha-0000002 digest="$v1_digest"
	v2_digest=$(record_field to digest)
	[ "$v2_digest" = "$(registry_digest sha-0000002)" ] || fail "the registry's digest, not $v2_digest"
	publish_image "$REPOSITORY" sha-0000003 'ENV SERVICE_VERSION=sha-0000003
		LABEL org.opencontainers.image.revision=0000004
		ENTRYPOINT ["/service"]' service
	refused_image sha-0000003 'built from commit 0000004' deploy sha-0000003
	ssh-keygen -q -t ed25519 -N '' -C x -f "$SPARE/signer"
	echo "release $(cat "$SPARE/signer.pub")" >"$SPARE/signers"
	chmod 644 "$SPARE/signers"
	setting TWILIGHT_SIGNED_BY "$SPARE/signers"
	setting TWILIGHT_VERSION_URL "http://127.0.0.1:$PORT/health/version"
	refused_image sha-0000002 'no signature by an allowed signer' \
		deploy sha-0000002 sig="$(signature "$REPO@$v1_digest")"
	ask ci deploy sha-0000002 sig="$(signature "$REPO@$v2_digest")" digest="$v2_digest"
	code 0
	said 'signed by release'
	runs "$v2_image" sha-0000002
	ask operator rollback
	code 0
	runs "$v1_image" sha-0000001
	setting TWILIGHT_SIGNED_BY ''
	publish v1.0.0 healthy sha-0000009
	deploy v1.0.0
	code 1
	said 'does not say that it runs 1.0.0'
	runs "$v1_image" sha-0000001
	publish v1.0.0 healthy v1.0.0
	deploy v1.0.0
	code 0
	publish v1.0.0 healthy v1.0.0-again
	deploy v1.0.0
	code 2
	said 'v1.0.0 was deployed before with another image'
	at_rest
}

scenario_two_deploys_at_once() {
	v1_runs
	publish sha-0000002 delay=1500
	v2_image=$IMAGE
	publish sha-0000003 healthy
	keys_write
	ssh_as ci deploy sha-0000002 >"$SPARE/first" 2>&1 </dev/null &
	first=$!
	wait_for 60 journal_there || fail "the first deploy begins"
	deploy sha-0000003
	second=$CODE
	wait $first
	CODE=$?
	cat "$SPARE/first"
	[ "$second" -eq 3 ] || fail "exit code 3 for the second, not $second"
	said 'deploy already running'
	code 0
	env_is sha-0000002
	runs "$v2_image" sha-0000002
	at_rest
	recorded deploy 0 deployed sha-0000002 "$v2_image"
}

# The target `default` stays in verification, because its service becomes healthy only on
# command; meanwhile the target `worker` is deployed.  $1: the folder of the worker's .env
# and compose file.
two_targets() {
	free_port
	worker_port=$FREE_PORT
	mkdir -p "$SPARE/control" "$1/source/$PROJECT"
	for tt_folder in "$HOME_DIR" "$1"; do
		printf 'TWILIGHT_VERSION=sha-0000001\nWORKER_VERSION=sha-0000001\n' \
			>"$tt_folder/.env"
		cat >"$tt_folder/source/$PROJECT/compose.yml" <<YML
name: $PROJECT
services:
  data:
    image: $REPO:\${TWILIGHT_VERSION:?}
    ports: ["127.0.0.1:$PORT:8080"]
    environment: {SERVICE_CONTROL: /control/data}
    volumes: ["$SPARE/control:/control:ro"]
  worker:
    image: $REPO:\${WORKER_VERSION:?}
    ports: ["127.0.0.1:$worker_port:8080"]
YML
	done
	cat >"$SPARE/conf" <<CONF
health_tries = 120
health_sleep = 1
health_settle = 0
disk_min = 1M
[target default]
home = $HOME_DIR
compose_dir = $COMPOSE_DIR
services = data
health_url = http://127.0.0.1:$PORT/healthz
[target worker]
home = $1
state = $HOME_DIR/.twilight-deploy/targets/worker
compose_dir = $1/source/$PROJECT
services = worker
variable = WORKER_VERSION
health_url = http://127.0.0.1:$worker_port/healthz
CONF
	chmod 600 "$SPARE/conf"
	# beside a file with targets, settings of the environment are refused
	SETTINGS=$(printf '%s' "$SETTINGS" | grep -v ^TWILIGHT_)$NL
	publish sha-0000001 healthy
	publish sha-0000002 healthy
	control healthy
	for tt_target in default worker; do
		here --config "$SPARE/conf" deploy sha-0000001 "target=$tt_target"
		code 0
	done
	control never
	here_start --config "$SPARE/conf" deploy sha-0000002 target=default
	wait_for 60 journal_says verify || fail "the target default is verified"
	OUT=$SPARE/worker
	here --config "$SPARE/conf" deploy sha-0000002 target=worker
	OUT=$SPARE/out
	code 0
	journal_says verify || fail "the target default is still being verified"
	! flock -n "$STATE/lock" true || fail "its lock is held"
	[ "$(PORT=$worker_port && version_served)" = sha-0000002 ] || fail "worker serves sha-0000002"
	control healthy
	here_wait
	code 0
	[ "$(version_served)" = sha-0000002 ] || fail "data serves sha-0000002"
	journal_gone || fail "no journal"
	recorded deploy 0 deployed sha-0000002
}

# control WORD: what the service does from now on.
control() {
	echo "$1" >"$SPARE/control/new"
	mv "$SPARE/control/new" "$SPARE/control/data"
}

# two_env_is HOME DATA WORKER: .env has these two versions, and nothing else.
two_env_is() {
	printf 'TWILIGHT_VERSION=%s\nWORKER_VERSION=%s\n' "$2" "$3" | cmp -s - "$1/.env" ||
		fail ".env with $2 and $3, not:$NL$(cat "$1/.env")"
}

scenario_two_targets_at_once() {
	two_targets "$HOME_DIR/other"
	two_env_is "$HOME_DIR" sha-0000002 sha-0000001
	two_env_is "$HOME_DIR/other" sha-0000001 sha-0000002
}

scenario_two_targets_with_one_env() {
	two_targets "$HOME_DIR"
	two_env_is "$HOME_DIR" sha-0000002 sha-0000002
}

# compose.yml needs DEMO_PORT and GREETING, which only .env has, two folders above.
scenario_other_names_in_env() {
	v1_runs
	docker inspect -f '{{.Config.Env}}' "$(containers)" |
		grep -qF 'GREETING=good morning, twilight' || fail "the greeting of .env in the container"
	# an operator's edit between two deploys stays
	sed 's/good morning/good evening/' "$ENV_FILE" >"$ENV_FILE.edited"
	cat "$ENV_FILE.edited" >"$ENV_FILE"
	rm "$ENV_FILE.edited"
	publish sha-0000002 never
	deploy sha-0000002
	code 1
	docker inspect -f '{{.Config.Env}}' "$(containers)" |
		grep -qF 'GREETING=good evening, twilight' || fail "the edited greeting in the container"
	[ "$(version_served)" = sha-0000001 ] || fail "sha-0000001 serves"
	env_text sha-0000001 | sed 's/good morning/good evening/' | cmp -s - "$ENV_FILE" ||
		fail "the edit survives the rollback"
	at_rest
}

# Somebody edited .env and did not run `up`: the drift is reported, and the edit restored.
scenario_env_says_another_tag() {
	v1_runs
	publish sha-0000002 healthy
	publish sha-0000003 never
	v3_image=$IMAGE
	env_write sha-0000002
	deploy sha-0000003
	code 1
	grep -qi 'drift' "$OUT" || fail "it says that .env and what runs differ"
	env_is sha-0000002
	runs "$v1_image" sha-0000001
	at_rest
	recorded deploy 1 'rolled back' sha-0000003 "$v3_image"
	ask ci status
	code 0
	said sha-0000001
	said sha-0000002
}

scenario_prune_keeps_what_counts() {
	setting TWILIGHT_KEEP 1
	v1_runs
	# names that are not ours: on our image, and with a common prefix
	docker tag "$v1_image" "$REPO-other:sha-0000001"
	docker tag "$v1_image" "unrelated/e2e$$:sha-0000001"
	publish sha-0000002 healthy
	v2_image=$IMAGE
	publish sha-0000003 healthy
	v3_image=$IMAGE
	publish sha-0000004 healthy
	for n in 2 3 4; do
		deploy sha-000000$n
		code 0
	done
	runs "$IMAGE" sha-0000004
	name_is sha-0000004 "$IMAGE"
	name_is sha-0000003 "$v3_image"
	! on_host "$REPO:sha-0000001" || fail "the name sha-0000001 is gone"
	! on_host "$v2_image" || fail "the image of sha-0000002 is gone"
	on_host "$REPO-other:sha-0000001" || fail "another repository's name stays"
	on_host "unrelated/e2e$$:sha-0000001" || fail "an unrelated name stays"
	docker image rm "$REPO-other:sha-0000001" "unrelated/e2e$$:sha-0000001" >/dev/null
	# the previous one is there, so a rollback needs no registry
	registry_stop
	ask operator rollback
	registry_start
	code 0
	env_is sha-0000003
	runs "$v3_image" sha-0000003
	at_rest
	recorded rollback 0 deployed sha-0000003 "$v3_image"
}

# A refused request changes nothing: not even the state folder is made.
scenario_refused_requests() {
	env_write sha-0000001
	for request in 'deploy' 'deploy sha-xyz' 'deploy sha-00000012' 'deploy ../../etc' \
		'deploy v1.2'; do
		ask ci "$request"
		code 2
		said 'invalid tag: '
	done
	for request in 'rm -rf /' 'deploy sha-0000001; id' 'deploy  sha-0000001' \
		'deploy sha-0000001 sha-0000002' "deploy sha-0000001${NL}id" ' deploy sha-0000001' \
		"deploy 'sha-0000001'" '--allow all rollback' 'deploi sha-0000001'; do
		ask ci "$request"
		code 2
		said 'invalid '
		said_not 'uid='
	done
	ask ci
	code 2
	said 'invalid tag: '
	# a subsystem is also a request
	sshd_client ci -s "$(id -un)@127.0.0.1" sftp >"$OUT" 2>&1 </dev/null
	CODE=$?
	cat "$OUT"
	code 2
	ask ci version
	code 0
	ask ci help
	code 0
	said deploy
	env_is sha-0000001
	[ ! -e "$STATE" ] || fail "no state folder"
	nothing_runs
}

scenario_roles() {
	v1_runs
	publish sha-0000002 healthy
	v2_image=$IMAGE
	deploy sha-0000002
	code 0
	for request in rollback 'rollback sha-0000001' recover; do
		ask ci "$request"
		code 2
	done
	runs "$v2_image" sha-0000002
	ask ci status
	code 0
	said sha-0000002
	ask ci history
	code 0
	said sha-0000001
	said sha-0000002
	ask operator recover
	code 0
	runs "$v2_image" sha-0000002
	ask operator rollback
	code 0
	runs "$v1_image" sha-0000001
	last_record | grep -q '"operator"' || fail "history: who it was"
	last_record | grep -q '"SHA256:' || fail "history: the key's fingerprint"
	at_rest
}

# `restrict`: the key gives no access to docker's socket, and no terminal.
scenario_nothing_but_the_program() {
	env_write sha-0000001
	keys_write
	sshd_client ci -W "$ENGINE_REGISTRY" "$(id -un)@127.0.0.1" >"$OUT" 2>&1 </dev/null
	[ $? -eq 255 ] || fail "a forwarded connection is refused: $(cat "$OUT")"
	sshd_client ci -o ExitOnForwardFailure=yes -R "0:$ENGINE_REGISTRY" \
		"$(id -un)@127.0.0.1" version >"$OUT" 2>&1 </dev/null
	[ $? -eq 255 ] || fail "a listening port is refused: $(cat "$OUT")"
	sshd_client ci -tt "$(id -un)@127.0.0.1" version >"$OUT" 2>&1 </dev/null
	said 'PTY allocation request failed'
	# docker's socket: the client's end of the tunnel listens, the far end never connects
	SSHD_WRAP='exec' sshd_client ci -T -L "$SPARE/socket:${DOCKER_HOST#unix://}" -N \
		"$(id -un)@127.0.0.1" >"$OUT" 2>&1 </dev/null &
	tunnel=$!
	wait_for 20 test -S "$SPARE/socket" || fail "the client listens"
	answer=$(curl -s --max-time 10 --unix-socket "$SPARE/socket" http://docker/_ping)
	kill "$tunnel"
	wait "$tunnel"
	[ -z "$answer" ] || fail "docker's socket cannot be reached, but it answered: $answer"
}

# deploy/Dockerfile and deploy/compose.yml unchanged, in their folder.  Their project is
# `twilight`; .env sets another, which the program must learn from compose.
# examples.sh has a bad release and a rollback.
scenario_shipped_files() {
	setting TWILIGHT_COMPOSE_DIR "$HOME_DIR/source/deploy"
	mkdir -p "$HOME_DIR/source/deploy"
	cp "$ROOT/deploy/compose.yml" "$HOME_DIR/source/deploy/compose.yml"
	printf 'TWILIGHT_VERSION=v0.0.0\nTWILIGHT_IMAGE=%s\nTWILIGHT_PORT=%s\nCOMPOSE_PROJECT_NAME=%s\n' \
		"$REPO" "$PORT" "$PROJECT" >"$ENV_FILE"
	for tag in v1.0.0 v1.0.1; do
		if ! docker build -q -f "$ROOT/deploy/Dockerfile" --build-arg "VERSION=$tag" \
			-t "$REPO:$tag" "$WORK/image" || ! docker push -q "$REPO:$tag"; then
			fail "an image for $tag in the registry"
		fi
		image=$(docker image inspect -f '{{.Id}}' "$REPO:$tag")
		echo "$image" >>"$WORK/images"
		docker image rm "$REPO:$tag" >/dev/null
	done
	deploy v1.0.0
	code 0
	deploy v1.0.1
	code 0
	runs "$image" v1.0.1
	grep -qx 'TWILIGHT_VERSION=v1.0.1' "$ENV_FILE" || fail ".env says v1.0.1"
	[ "$(docker inspect -f '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}}' "$(containers)")" = \
		'10001:10001 true' ] || fail "an unprivileged user on a read-only root"
	docker exec "$(containers)" /service --check || fail "the container checks itself"
	at_rest
}

# Rows of envrows.h and random files, before and after a swap (dotenv.c).
scenario_env_as_compose_reads_it() {
	seed=$(date +%s)
	mkdir "$SPARE/dotenv"
	cd "$SPARE/dotenv" || fail "a folder"
	printf 'services: {a: {image: "x:${TWILIGHT_VERSION-}", env_file: .env}}\n' >compose.yml
	echo "seed: $seed"
	env -i PATH="$PATH" HOME="$HOME" ${DOCKER_CONFIG:+DOCKER_CONFIG="$DOCKER_CONFIG"} \
		"$(dirname "$PROGRAM")/dotenv" "$seed" 60 "$ROOT"/tests/fuzz/corpus/envfile/* ||
		fail "compose reads each as we do"
}
