# shellcheck shell=sh
# engine.sh: a Docker engine, compose v2 and a registry on the loopback.  Sourced
# from the top of the tree (or with E2E_LIB=…/tests/e2e).
#
#   engine_start DIR    sets DOCKER_HOST, DOCKER_CONFIG, PATH and ENGINE_REGISTRY
#                       (127.0.0.1:PORT); returns non-zero with a reason on stderr
#   engine_compose      provides a `docker compose` that is new enough, in ENGINE_DIR if the
#                       machine has none; needs no engine
#   engine_stop         ends what engine_start started, and nothing else
#   engine_is_ours      did engine_start start the engine?  The next three need that
#   engine_kill         kills dockerd and its containerd; the containers survive
#   engine_power_cut PID...   kills everything, containers too, and these processes
#   engine_restart      starts it again on the same data; ends a running one first
#   registry_stop, registry_start   stop and start the registry
#
# An engine that already answers is used.  Otherwise dockerd is started with its own data
# root, socket and pid file under DIR; several such engines can run at the same time.

# shellcheck source=tests/e2e/common.sh
. "${E2E_LIB:-tests/e2e}/common.sh"

# The first compose with COMPOSE_ENV_FILES, which twilight-deploy needs.
ENGINE_COMPOSE_MAJOR=2
ENGINE_COMPOSE_MINOR=23

engine_start() {
	ENGINE_DIR=$1
	mkdir -p "$ENGINE_DIR/bin" "$ENGINE_DIR/config/cli-plugins" || return 1
	need_package curl curl || return 1
	if docker info >/dev/null 2>&1; then
		note "using the engine that answers: $(docker version -f '{{.Server.Version}}')"
	else
		engine_install && engine_dockerd && engine_client || return 1
	fi
	engine_compose && registry_install && registry_make "$ENGINE_DIR/registry" &&
		registry_start || return 1
	note "engine $(docker version -f '{{.Server.Version}}')," \
		"client $(docker version -f '{{.Client.Version}}') ($(command -v docker))," \
		"compose $(docker compose version --short), registry $ENGINE_REGISTRY"
}

engine_stop() {
	[ -n "${ENGINE_DIR:-}" ] || return 0
	registry_stop
	if engine_is_ours; then
		# it stops its containers and its containerd before it exits
		[ ! -s "$ENGINE_DIR/dockerd.pid" ] ||
			end_process "$(cat "$ENGINE_DIR/dockerd.pid")" 60
		[ ! -s "$ENGINE_DIR/exec/containerd/containerd.pid" ] ||
			end_process "$(cat "$ENGINE_DIR/exec/containerd/containerd.pid")" 10
		# what is left if it had no time for that
		engine_power_cut
	fi
	as_root rm -rf "$ENGINE_DIR"
	ENGINE_DIR=
}

# -- the engine ----------------------------------------------------------------

engine_install() {
	if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
		refuse "no docker engine answers, and starting one needs root (or sudo without a password)"
		return 1
	fi
	need_package dockerd docker.io || return 1
	# from Debian 13 on the client is a separate package
	need_package docker docker-cli
}

# Without iptables and forwarding: docker-proxy serves ports on the loopback, and the rules of
# other engines do not change.
engine_dockerd() {
	DOCKER_HOST=unix://$ENGINE_DIR/docker.sock
	# a socket's path has at most 108 bytes; containerd's are the longest
	if [ "${#ENGINE_DIR}" -gt 60 ]; then
		refuse "$ENGINE_DIR is too long a path for the engine's sockets"
		return 1
	fi
	export DOCKER_HOST
	# vfs is for file systems that overlay2 does not support
	for ed_extra in '' '--storage-driver=vfs'; do
		# shellcheck disable=SC2086 # one option, or none
		engine_try $ed_extra && return 0
		note "dockerd $ed_extra did not come up:"
		tail -n 5 "$ENGINE_DIR/dockerd.log" >&2
	done
	refuse "dockerd does not start (see above); needed are root, cgroups at /sys/fs/cgroup and namespaces"
}

engine_try() {
	as_root rm -rf "$ENGINE_DIR/data" "$ENGINE_DIR/exec" "$ENGINE_DIR/dockerd.pid"
	ENGINE_OPTIONS=$*
	engine_restart
}

engine_is_ours() { [ -n "${ENGINE_DIR:-}" ] && [ -d "$ENGINE_DIR/data" ]; }

engine_restart() {
	[ ! -s "$ENGINE_DIR/dockerd.pid" ] ||
		end_process "$(cat "$ENGINE_DIR/dockerd.pid")" 60
	: >"$ENGINE_DIR/dockerd.log"
	# shellcheck disable=SC2086 # one option, or none
	as_root env PATH="$PATH:/usr/sbin:/sbin" dockerd \
		--data-root "$ENGINE_DIR/data" --exec-root "$ENGINE_DIR/exec" \
		--host "$DOCKER_HOST" --group "$(id -gn)" --pidfile "$ENGINE_DIR/dockerd.pid" \
		--bridge=none --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false \
		$ENGINE_OPTIONS >"$ENGINE_DIR/dockerd.log" 2>&1 </dev/null &
	ENGINE_JOB=$!
	wait_for 60 engine_up_or_dead
	engine_answers
}

engine_answers() {
	[ "$(curl -s --unix-socket "$ENGINE_DIR/docker.sock" http://docker/_ping)" = OK ]
}

engine_up_or_dead() {
	engine_answers || process_gone "$ENGINE_JOB"
}

# Removes the pid files, because a pid may be reused.  containerd may have ended with its
# dockerd.
engine_kill() {
	for ek_file in "$ENGINE_DIR/dockerd.pid" "$ENGINE_DIR/exec/containerd/containerd.pid"; do
		ek_pid=$(cat "$ek_file") && as_root rm "$ek_file" || return 1
		as_root kill -s KILL -- "$ek_pid" 2>/dev/null
		wait_for 10 process_gone "$ek_pid" || return 1
	done
}

# The engine's processes have its folder in their command line; their children without it are
# the containers and the proxies of their ports.
engine_pids() {
	# not as an argument, because grep would find itself
	printf '%s\n' "$ENGINE_DIR/exec" | grep -lsF -f - /proc/[0-9]*/cmdline |
		sed 's|^/proc/||; s|/cmdline$||' >"$ENGINE_DIR/pids"
	cat "$ENGINE_DIR/pids"
	# a process may end while it is read
	cat /proc/[0-9]*/status 2>/dev/null | awk -v pids="$ENGINE_DIR/pids" '
		BEGIN { while ((getline pid <pids) > 0) ours[pid] = 1 }
		/^Pid:/ { pid = $2 }
		/^PPid:/ && $2 in ours && !(pid in ours) { print pid }'
}

# In several rounds, because a process that is being created appears later.  Then it removes
# what a reboot would: mounts, sockets, the state of containerd.
engine_power_cut() {
	# shellcheck disable=SC2046 # numbers
	set -- "$@" $(engine_pids)
	while [ $# -gt 0 ]; do
		as_root kill -s KILL -- "$@" 2>/dev/null
		for ep_pid in "$@"; do
			wait_for 10 process_gone "${ep_pid#-}" || return 1
		done
		# shellcheck disable=SC2046
		set -- $(engine_pids)
	done
	# unmount first: rm must not delete through a mount
	awk -v under="$ENGINE_DIR/" 'index($2, under) == 1 { print $2 }' /proc/mounts |
		sort -r | while read -r ep_mount; do
		as_root umount -l "$ep_mount" || :
	done
	as_root rm -rf "$ENGINE_DIR/exec" "$ENGINE_DIR/dockerd.pid"
}

# A client on PATH may be too new or too old for this engine: the first that works is put first.
engine_client() {
	ec_rest=$PATH:
	while [ -n "$ec_rest" ]; do
		ec_docker=${ec_rest%%:*}/docker
		ec_rest=${ec_rest#*:}
		[ -x "$ec_docker" ] || continue
		if "$ec_docker" info >/dev/null 2>&1; then
			[ "$ec_docker" = "$(command -v docker)" ] || engine_prefer "$ec_docker"
			return 0
		fi
	done
	refuse "no docker client on PATH can talk to this engine: $(docker info 2>&1 | tail -n 1)"
}

engine_prefer() {
	ln -sf "$1" "$ENGINE_DIR/bin/docker"
	PATH=$ENGINE_DIR/bin:$PATH
	export PATH
}

# -- compose v2 ----------------------------------------------------------------

engine_compose() {
	engine_compose_works && return 0
	note "fetching compose: what is here is $(docker compose version --short 2>/dev/null || echo none)"
	# our own folder for the plugin; keep the endpoint of the current context
	if [ -z "${DOCKER_HOST:-}" ]; then
		DOCKER_HOST=$(docker context inspect -f '{{.Endpoints.docker.Host}}')
	fi
	DOCKER_CONFIG=$ENGINE_DIR/config
	export DOCKER_HOST DOCKER_CONFIG
	if engine_compose_own || engine_compose_trixie; then
		return 0
	fi
	refuse "no compose >= $ENGINE_COMPOSE_MAJOR.$ENGINE_COMPOSE_MINOR can be had for this engine"
}

# Is it new enough and, if an engine answers, able to use it?  (A plugin has its own client.)
engine_compose_works() {
	docker compose version --short 2>/dev/null | sed 's/^v//' |
		awk -F. -v major=$ENGINE_COMPOSE_MAJOR -v minor=$ENGINE_COMPOSE_MINOR \
			'{ new = $1 > major || ($1 == major && $2 + 0 >= minor) } END { exit !new }' ||
		return 1
	! docker info >/dev/null 2>&1 || docker compose ls -q >/dev/null 2>&1
}

# From the machine's sources: the names in Ubuntu and in Debian 13.
engine_compose_own() {
	for eo_package in docker-compose-v2 docker-compose; do
		engine_compose_from "$eo_package" && return 0
	done
	return 1
}

# Debian 12 has only compose v1; the next release's package needs only a libc that Debian 12
# has.  With a private apt configuration, so that the machine's lists and sources stay.
engine_compose_trixie() {
	et_apt=$ENGINE_DIR/apt
	mkdir -p "$et_apt/lists/partial" "$et_apt/cache/archives/partial" "$et_apt/sources"
	engine_next_sources "$et_apt/sources" trixie
	set -- -o "Dir::Etc::sourcelist=$et_apt/none.list" \
		-o "Dir::Etc::sourceparts=$et_apt/sources" \
		-o "Dir::State::Lists=$et_apt/lists" -o "Dir::Cache=$et_apt/cache" \
		-o APT::Get::List-Cleanup=0
	[ "$(id -u)" -ne 0 ] || set -- "$@" -o APT::Sandbox::User=root
	# ignore unreachable sources; what matters is the package
	et_log=$(apt-get "$@" -q update 2>&1) || :
	if ! engine_compose_from docker-compose "$@"; then
		printf '%s\n' "$et_log" | tail -n 3 >&2
		return 1
	fi
}

# engine_compose_from PACKAGE [APT OPTION...]: unpacks the plugin; installs nothing.
engine_compose_from() {
	ef_package=$1
	shift
	ef_dir=$ENGINE_DIR/deb
	rm -rf "$ef_dir"
	mkdir -p "$ef_dir"
	# the user _apt, who downloads for root, may not be able to write here
	[ "$(id -u)" -ne 0 ] || set -- "$@" -o APT::Sandbox::User=root
	(cd "$ef_dir" && apt-get "$@" -q download "$ef_package" && dpkg -x ./*.deb .) \
		>"$ENGINE_DIR/apt.log" 2>&1 || return 1
	ef_plugin=$(find "$ef_dir" -type f -name docker-compose -perm -100 | head -n 1)
	[ -n "$ef_plugin" ] || return 1
	cp "$ef_plugin" "$ENGINE_DIR/config/cli-plugins/docker-compose" &&
		engine_compose_works
}

# engine_next_sources FOLDER SUITE: writes the machine's sources of its release, in both
# formats, with SUITE instead of the release; without -updates, -security and -backports,
# which may not exist for SUITE.
engine_next_sources() {
	en_folder=$1
	en_suite=$2
	# shellcheck disable=SC1091 # the machine's
	en_own=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-bookworm}")
	for en_file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -r "$en_file" ] || continue
		# deb [options] uri suite components: the suite follows the first word with "://"
		awk -v own="$en_own" -v next_suite="$en_suite" '
			$1 == "deb" {
				for (i = 2; i < NF && $i !~ /:\//; i++)
					;
				if ($(i + 1) == own) {
					$(i + 1) = next_suite
					print
				}
			}' "$en_file"
	done >"$en_folder/next.list"
	for en_file in /etc/apt/sources.list.d/*.sources; do
		[ -r "$en_file" ] || continue
		# blank lines separate stanzas; keep those that name the machine's release
		awk -v own="$en_own" -v next_suite="$en_suite" '
			function flush() {
				if (kept)
					printf "%s\n", stanza
				stanza = ""
				kept = 0
			}
			/^[[:space:]]*$/ { flush(); next }
			/^#/ { next }
			tolower($1) == "suites:" {
				for (i = 2; i <= NF; i++)
					if ($i == own)
						kept = 1
				stanza = stanza "Suites: " next_suite "\n"
				next
			}
			tolower($1) == "types:" { stanza = stanza "Types: deb\n"; next }
			{ stanza = stanza $0 "\n" }
			END { flush() }' "$en_file"
	done >"$en_folder/next.sources"
}

# -- the registry --------------------------------------------------------------

registry_install() {
	need_package docker-registry docker-registry || {
		refuse "the tests push to a registry of their own: package docker-registry is needed, an engine alone is not enough"
		return 1
	}
}

# registry_make DIR: makes a registry's folder and chooses its port; sets ENGINE_REGISTRY.  The
# functions below use the registry that was made last in this shell.
registry_make() {
	REGISTRY_DIR=$1
	mkdir -p "$REGISTRY_DIR" || return 1
	free_port
	# shellcheck disable=SC2031 # each lane of run.sh has its own registry
	ENGINE_REGISTRY=127.0.0.1:$FREE_PORT
	export ENGINE_REGISTRY
	# engines need no TLS on a loopback address
	cat >"$REGISTRY_DIR/config.yml" <<YML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $REGISTRY_DIR/data}
  delete: {enabled: true}
http: {addr: "$ENGINE_REGISTRY"}
YML
}

registry_start() {
	docker-registry serve "$REGISTRY_DIR/config.yml" \
		>>"$REGISTRY_DIR/log" 2>&1 </dev/null &
	echo $! >"$REGISTRY_DIR/pid"
	wait_for 30 registry_answers || {
		tail -n 5 "$REGISTRY_DIR/log" >&2
		refuse "the registry at $ENGINE_REGISTRY does not answer"
	}
}

registry_answers() {
	curl -sf -o /dev/null "http://$ENGINE_REGISTRY/v2/"
}

# By the pid file, so that a subshell can stop what its parent started.
registry_stop() {
	[ -s "${REGISTRY_DIR:-}/pid" ] || return 0
	end_process "$(cat "$REGISTRY_DIR/pid")" 10
	rm -f "$REGISTRY_DIR/pid"
}
