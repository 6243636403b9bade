# shellcheck shell=sh
# world.sh: homes, releases in the registry, requests and assertions.  Sourced by run.sh; needs
# WORK and PROGRAM.
#
# A failed assertion ends the scenario (a subshell) with a line that says what was expected
# and what was found.

NL='
'

fail() {
	printf '  expected: %s\n' "$*"
	exit 1
}

# -- a host ----------------------------------------------------------------------

# home_make NAME: a folder as on a real host, with .env two folders above compose.yml and no
# symlink.  Each home has its own project, repository and port.
home_make() {
	NAME=$1
	HOME_DIR=$WORK/homes/$NAME
	STATE=$HOME_DIR/.twilight-deploy
	ENV_FILE=$HOME_DIR/.env
	PROJECT=e2e$$-$NAME
	COMPOSE_DIR=$HOME_DIR/source/$PROJECT
	REPOSITORY=e2e/$NAME
	REPO=$ENGINE_REGISTRY/$REPOSITORY
	# beside the home, which may contain only files that the program makes
	SPARE=$WORK/spare/$NAME
	OUT=$SPARE/out
	free_port
	PORT=$FREE_PORT
	mkdir -p "$COMPOSE_DIR" "$SPARE"
	cat >"$COMPOSE_DIR/compose.yml" <<YML
services:
  data:
    image: $REPO:\${TWILIGHT_VERSION:?not set}
    restart: unless-stopped
    stop_grace_period: 5s
    ports: ["127.0.0.1:\${DEMO_PORT:?not set}:8080"]
    environment: {GREETING: "\${GREETING:?not set}"}
YML
	SETTINGS="TWILIGHT_HOME=$HOME_DIR${NL}TWILIGHT_COMPOSE_DIR=$COMPOSE_DIR${NL}"
	setting TWILIGHT_HEALTH_URL "http://127.0.0.1:$PORT/healthz"
	setting TWILIGHT_HEALTH_TRIES 4
	setting TWILIGHT_HEALTH_SLEEP 1
	setting TWILIGHT_HEALTH_SETTLE 1
	setting TWILIGHT_DISK_MIN 1M
	setting PATH "$PATH"
	[ -z "${DOCKER_HOST:-}" ] || setting DOCKER_HOST "$DOCKER_HOST"
	[ -z "${DOCKER_CONFIG:-}" ] || setting DOCKER_CONFIG "$DOCKER_CONFIG"
}

# One NAME=VALUE a line; the later of two is used, by env and by a shell.
setting() {
	SETTINGS=$SETTINGS$1=$2$NL
}

# .env as a person wrote it: every byte except the version must stay.
env_text() {
	printf '# the host'\''s own settings\r\nexport DEMO_PORT=%s\nTWILIGHT_VERSION=%s # deployed\n' \
		"$PORT" "$1"
	printf 'GREETING="good morning, twilight"\nLAST='\''no newline after this'\'
}

env_write() {
	env_text "$1" >"$ENV_FILE"
	chmod 640 "$ENV_FILE"
}

# -- releases ----------------------------------------------------------------------

# publish TAG BEHAVIOUR [VERSION]: an image that behaves so and says VERSION (TAG), in
# the registry under TAG.  Sets IMAGE.
publish() {
	publish_image "$REPOSITORY" "$1" "ENV SERVICE_VERSION=${3:-$1} SERVICE_BEHAVIOUR=$2
		ENTRYPOINT [\"/service\"]
		EXPOSE 8080" service
}

# publish_image REPOSITORY TAG DOCKERFILE FILE...: files of $WORK/image.  Sets IMAGE.  Like
# a build elsewhere, it leaves nothing on this host: a name that is here already (latest!)
# stays where it is.
publish_image() {
	pb_repository=$1
	pb_tag=$2
	pb_dockerfile=$3
	shift 3
	pb_built=$ENGINE_REGISTRY/$pb_repository:e2e-build
	# a layer of its own too, so that every pull has something to fetch
	echo "$NAME $pb_tag $pb_dockerfile" >"$SPARE/about"
	if ! IMAGE=$(tar -cf - -C "$WORK/image" "$@" -C "$SPARE" about |
		docker import -c "$pb_dockerfile" - "$pb_built") ||
		! docker push -q "$pb_built" >/dev/null ||
		! registry_name "$pb_repository" e2e-build "$pb_tag" ||
		! docker image rm "$pb_built" >/dev/null; then
		fail "an image for $pb_tag in the registry"
	fi
	echo "$IMAGE" >>"$WORK/images"
}

# registry_name REPOSITORY TAG NEW: a second tag for TAG's image, in the registry only.
registry_name() {
	rn_url=http://$ENGINE_REGISTRY/v2/$1/manifests
	curl -sf -D "$SPARE/manifest.head" -o "$SPARE/manifest" \
		-H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
		-H 'Accept: application/vnd.oci.image.manifest.v1+json' \
		-H 'Accept: application/vnd.oci.image.index.v1+json' "$rn_url/$2" || return 1
	rn_type=$(tr -d '\r' <"$SPARE/manifest.head" | sed -n 's/^[Cc]ontent-[Tt]ype: *//p')
	curl -sf -o /dev/null -X PUT -H "Content-Type: $rn_type" \
		--data-binary "@$SPARE/manifest" "$rn_url/$3"
}

# The registry's own digest of a tag.
registry_digest() {
	curl -sf -o /dev/null -D - -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
		-H 'Accept: application/vnd.oci.image.manifest.v1+json' \
		-H 'Accept: application/vnd.oci.image.index.v1+json' \
		"http://$ENGINE_REGISTRY/v2/$REPOSITORY/manifests/$1" |
		tr -d '\r' | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: *//p'
}

# -- requests ----------------------------------------------------------------------

# Writes the key file with the current settings.
keys_write() {
	kw_ifs=$IFS
	IFS=$NL
	set -f
	# shellcheck disable=SC2086 # a line, a setting
	sshd_keys "$PROGRAM" $SETTINGS
	set +f
	IFS=$kw_ifs
}

# ask ROLE WORDS…: a request over ssh.  Sets CODE; $OUT has the output.
ask() {
	keys_write
	printf '%s$ ssh %s\n' "${1}" "$*"
	ssh_as "$@" >"$OUT" 2>&1 </dev/null
	CODE=$?
	cat "$OUT"
	printf '[%s]\n' "$CODE"
}

deploy() { ask ci deploy "$1"; }

# here WORDS…: a request at the host's prompt, without ssh.
here() {
	printf '$ twilight-deploy %s\n' "$*"
	here_program "$@" >"$OUT" 2>&1
	CODE=$?
	cat "$OUT"
	printf '[%s]\n' "$CODE"
}

# In the background $! is the program itself: the subshell execs env, which execs it.  Signals
# have their default action; a background job would ignore INT, and nohup HUP.
here_program() {
	IFS=$NL
	set -f
	# shellcheck disable=SC2086 # a line, a setting
	${HERE_WRAP:-} env --default-signal -i HOME="$HOME" $SETTINGS \
		"$PROGRAM" --actor e2e "$@" </dev/null
	hp_code=$?
	set +f
	IFS=" 	$NL"
	return $hp_code
}

here_start() {
	printf '$ twilight-deploy %s &\n' "$*"
	: >"$OUT"
	HERE_WRAP='exec' here_program "$@" >"$OUT" 2>&1 &
	HERE=$!
}

here_wait() {
	wait "$HERE"
	CODE=$?
	cat "$OUT"
	printf '[%s]\n' "$CODE"
}

journal_says() {
	grep -Eqs "\"phase\": *\"($1)\"" "$STATE/journal"
}

journal_there() { [ -e "$STATE/journal" ]; }
journal_gone() { [ ! -e "$STATE/journal" ]; }

# -- assertions ----------------------------------------------------------------------

code() {
	[ "$CODE" -eq "$1" ] || fail "exit code $1, not $CODE"
}

said() {
	grep -qF -- "$1" "$OUT" || fail "it says: $1"
}

said_not() {
	! grep -qF -- "$1" "$OUT" || fail "it does not say: $1"
}

env_is() {
	env_text "$1" | cmp -s - "$ENV_FILE" ||
		fail ".env with TWILIGHT_VERSION=$1 and every other byte as before, not:$NL$(cat "$ENV_FILE")"
	[ "$(stat -c %a "$ENV_FILE")" = 640 ] || fail ".env keeps its mode 640"
}

containers() {
	docker ps -q --no-trunc --filter "label=com.docker.compose.project=$PROJECT" "$@"
}

# Changes if anybody touches the container.
container_now() {
	docker inspect -f '{{.Id}} {{.State.StartedAt}} {{.RestartCount}}' "$(containers)"
}

version_served() {
	curl -s --max-time 10 "http://127.0.0.1:$PORT/health/version" |
		sed -n 's/.*"image_tag":"\([^"]*\)".*/\1/p'
}

# runs IMAGE VERSION: there is exactly one container, of that image, and its port answers with
# that version.
runs() {
	ru_all=$(containers -a)
	[ -n "$ru_all" ] || fail "a container of image $1 ($2); there is none"
	ru_is=$(docker inspect -f '{{.State.Status}} {{.Image}}' "$(containers -a)") ||
		fail "one container of image $1 ($2), not:$NL$(docker ps -a)"
	[ "$ru_is" = "running $1" ] || fail "container: running $1 ($2), not: $ru_is"
	ru_says=$(version_served)
	[ "$ru_says" = "$2" ] || fail "the service says version $2, not '$ru_says'"
}

nothing_runs() {
	[ -z "$(containers -a)" ] || fail "no container, not:$NL$(docker ps -a)"
}

# The image of a name on this host.
image_named() { docker image inspect -f '{{.Id}}' "$REPO:$1" 2>/dev/null; }

# name_is TAG IMAGE
name_is() {
	ni_is=$(image_named "$1")
	[ "$ni_is" = "$2" ] || fail "the name $1 on image $2, not on ${ni_is:-nothing}"
}

on_host() { docker image inspect "$1" >/dev/null 2>&1; }

# No deploy is in progress, and nothing is left over.
at_rest() {
	journal_gone || fail "no journal, not:$NL$(cat "$STATE/journal")"
	ar_left=$(find "$HOME_DIR" -mindepth 1 -maxdepth 1 ! -name .env ! -name .twilight-deploy \
		! -name source ! -name compose.yml)
	[ -z "$ar_left" ] || fail "nothing new in the home folder, not: $ar_left"
	ar_left=$(find "$STATE" -mindepth 1 ! -name lock ! -name up.lock ! -name up.log \
		! -name history.jsonl)
	[ -z "$ar_left" ] || fail "nothing left in the state folder, not: $ar_left"
	for ar_lock in lock up.lock; do
		[ ! -e "$STATE/$ar_lock" ] || flock -n "$STATE/$ar_lock" true ||
			fail "$ar_lock is free"
	done
}

last_record() { tail -n 1 "$STATE/history.jsonl"; }

# record_field KEY, or record_field OBJECT KEY, of the last record.
record_field() {
	if [ $# -eq 2 ]; then
		last_record | sed -n "s/.*\"$1\": *{\([^}]*\)}.*/{\1}/p" |
			sed -n "s/.*[{,] *\"$2\": *\"\([^\"]*\)\".*/\1/p"
	else
		last_record | sed -n "s/.*[{,] *\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p"
	fi
}

# recorded VERB CODE OUTCOME TAG [IMAGE]: checks the last record; TAG and IMAGE are of `to`.
recorded() {
	rc_is="$(record_field verb) $(record_field code) $(record_field outcome) $(record_field to tag)"
	[ "$rc_is" = "$1 $2 $3 $4" ] || fail "history: $1 $2 $3 $4, not: $rc_is$NL$(last_record)"
	[ $# -lt 5 ] || [ "$(record_field to revision)" = "$5" ] ||
		fail "history: to revision $5, not:$NL$(last_record)"
	[ -n "$(record_field id)" ] || fail "history: an id"
}

records() { wc -l <"$STATE/history.jsonl" 2>/dev/null || echo 0; }

# -- afterwards ----------------------------------------------------------------------

# By compose's labels, so that only ours are removed.
home_remove() {
	for hr_id in $(containers -a); do
		docker rm -f "$hr_id" >/dev/null 2>&1
	done
	for hr_kind in network volume; do
		for hr_id in $(docker $hr_kind ls -q \
			--filter "label=com.docker.compose.project=$PROJECT"); do
			docker $hr_kind rm "$hr_id" >/dev/null 2>&1
		done
	done
	rm -rf "$HOME_DIR" "$SPARE"
}
