# files.sh: the files of deploy/ and the documents agree with the program.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# Every variable of the compose file is in env.example, commented out or not.
test_env_example_is_in_step() {
	for v in $(grep -o '\${[A-Z_]*' "$REPO/deploy/compose.yml" | tr -d '${' | sort -u); do
		matches "env.example has" "$(cat "$REPO/deploy/env.example")" "^#?$v="
	done
	for v in $(grep -o '^#\{0,1\}[A-Z_]*=' "$REPO/deploy/env.example" | tr -d '#='); do
		has "compose.yml uses" "$(cat "$REPO/deploy/compose.yml")" "\${$v"
	done
}

# A deploy works with the unchanged example.
test_env_example_is_understood() {
	cp "$REPO/deploy/env.example" "$env"
	chmod 600 "$env"
	deploy "$new"
	is "exit code" "$rc" 0
	is ".env" "$(version)" "$new"
	is "only that line" "$(diff "$REPO/deploy/env.example" "$env" | grep -c '^[<>]')" 2
}

test_compose_file_is_hardened() {
	text=$(grep -v '^ *#' "$REPO/deploy/compose.yml")
	for want in 'read_only: true' 'no-new-privileges:true' 'cap_drop:' '- ALL' '127.0.0.1:' \
		'restart: unless-stopped' 'max-size:' 'memory:' 'cpus:' 'TWILIGHT_VERSION:?'; do
		has "compose.yml" "$text" "$want"
	done
	for never in docker.sock privileged: network_mode 'pid:' ':latest'; do
		lacks "compose.yml" "$text" "$never"
	done
}

# With the real compose, if it is installed; needs no engine.
test_compose_file_is_accepted() {
	PATH=$real_path
	docker compose version >/dev/null 2>&1 || skip "no docker compose here"
	cd "$home/source/deploy" || return
	docker compose --env-file ../../.env config -q >"$T/out" 2>&1
	is "with the .env" "$?$(cat "$T/out")" 0
	if docker compose config -q >"$T/out" 2>&1; then
		wrong "without the .env" "a failure" "none"
	fi
	has "and says why" "$(cat "$T/out")" TWILIGHT_VERSION
}

# Verbs, settings with their defaults, and exit codes are the same wherever they are documented.
test_man_page_is_in_step() {
	page=$REPO/docs/twilight-deploy.8
	op help settings
	printf '%s\n' "$out" | awk '
		/^[a-z]/ { name = $0; sub(/,/, "", name) }
		sub(/^ *default: /, "") { sub(/ \(.* to .*\)$/, ""); print name, $0 }' |
		sed 's/ empty$//' >"$T/settings"
	is "the man page's settings" "$(sed -n 's/^\.It Ic //p' "$page" |
		sed 's/ , Ev / /; s/ Pq / /; s/\\e/\\/g; s/\. Ns Ar service/.SERVICE/')" "$(cat "$T/settings")"
	op help exit-codes
	for exit_code in $(printf '%s\n' "$out" | awk '/^ *[0-9]/ { print $1 }'); do
		grep -qx ".It $exit_code" "$page" || wrong "the man page" "$exit_code" "not there"
		grep -q "^| $exit_code |" "$REPO/README.md" || wrong "README" "$exit_code" "not there"
	done
	op help
	verbs=$(printf '%s\n' "$out" | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
	is "verbs" "$(printf '%s\n' "$verbs" | wc -l)" 11
	for verb in $verbs; do
		grep -q "^\.It Cm.*\b$verb\b" "$page" || wrong "the man page" "$verb" "not there"
		grep -q "\`$verb\b" "$REPO/README.md" || wrong "README" "$verb" "not there"
	done
}

# Each member and each outcome of a record is documented.
test_record_is_documented() {
	page=$REPO/docs/architecture.md
	deploy "$new"
	net "history --json"
	for field in $(printf '%s\n' "$out" | grep -o '"[a-z]*":' | tr -d '":' | sort -u); do
		grep -q "\`[^\`]*\b$field\b" "$page" || wrong "architecture.md" "$field" "not there"
	done
	sed -n 's/.*\[OUTCOME_[A-Z_]*\] = { "\([a-z ]*\)".*/\1/p' "$REPO/src/state/history.c" >"$T/outcomes"
	while read -r outcome; do
		grep -q "^|.*\`$outcome\`.* |" "$page" || wrong "architecture.md" "$outcome" "not there"
	done <"$T/outcomes"
	is "outcomes" "$(wc -l <"$T/outcomes")" 10
}
