# envfile.sh: one value of .env is changed and no other byte, or nothing.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# The value goes back on failure, an operator's other bytes stay: same file as before.
test_rollback_restores_bytes() {
	printf '# c\r\nexport TWILIGHT_VERSION="%s" # x\r\nSECRET=%s' "$old" "$secret" >"$env"
	chmod 640 "$env"
	before=$(cksum <"$env")
	behave never
	deploy "$new"
	is "exit code" "$rc" 5
	is "bytes" "$(cksum <"$env")" "$before"
	is "mode" "$(stat -c %a "$env")" 640
}

test_env_file_elsewhere() {
	mkdir "$T/secret"
	mv "$env" "$T/secret/settings"
	TWILIGHT_ENV_FILE=$T/secret/settings
	export TWILIGHT_ENV_FILE
	deploy "$new"
	is "exit code" "$rc" 0
	has "the other file" "$(cat "$T/secret/settings")" "TWILIGHT_VERSION=$new"
	is "none is made" "$(ls "$env" 2>/dev/null)" ""
}

test_missing_env_file() {
	rm "$env"
	deploy "$new"
	is "exit code" "$rc" 4
	has "message" "$all" "missing env file: $env"
	is "nothing is started" "$(calls compose\ pull)$(calls compose\ up)" 00
}

test_missing_home() {
	TWILIGHT_HOME=$T/nowhere
	deploy "$new"
	is "exit code" "$rc" 4
	has "message" "$all" "missing env file: $T/nowhere/.env"
	is "it is not made" "$(ls "$T/nowhere" 2>/dev/null)" ""
}

test_missing_version() {
	printf '#TWILIGHT_VERSION=x\nSECRET=%s\n' "$secret" >"$env"
	remember
	deploy "$new"
	is "exit code" "$rc" 4
	has "message" "$all" "missing TWILIGHT_VERSION in $env"
	has "what to write" "$all" "TWILIGHT_VERSION=..."
	no_change
}

# What else is refused, and where in the file, is in tests/unit/check_dotenv.c.
test_ambiguous_env_file() {
	printf 'TWILIGHT_VERSION=a\nSECRET=%s\nTWILIGHT_VERSION=b\n' "$secret" >"$env"
	remember
	deploy "$new"
	is "exit code" "$rc" 4
	matches "with a line number" "$all" '(:|line )[0-9]+'
	lacks "no content is shown" "$all" "$secret"
	no_change
}

test_missing_compose_file() {
	rm "$home/source/deploy/compose.yml"
	remember
	deploy "$new"
	is "exit code" "$rc" 4
	has "it is named" "$all" "$home/source/deploy"
	no_change
}

# The four file names that compose looks for.
test_compose_file_names() {
	cd "$home/source/deploy" || return
	last=compose.yml
	for name in compose.yaml docker-compose.yml docker-compose.yaml; do
		mv $last $name
		deploy "$new"
		is "exit code with $name" "$rc" 0
		last=$name
	done
}
