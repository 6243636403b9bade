# envfile.sh: one value changes in .env, every other byte stays; or nothing does.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

# swapped LINE WANT: this line (printf's escapes) among others, after a deploy.
swapped() {
	printf 'A=1\n%b# end\nSECRET=%s' "$1" "$secret" >"$env"
	printf 'A=1\n%b# end\nSECRET=%s' "$2" "$secret" >"$T/want"
	deploy "$new"
	is "exit code for [$1]" "$rc" 0
	is "bytes for [$1]" "$(cat -A "$env" | sed "s/$secret/S/")" \
		"$(sed "s/$secret/S/" "$T/want" | cat -A)"
	rm "$T/want"
}

test_swap_keeps_spelling() {
	swapped "TWILIGHT_VERSION=$old\n" "TWILIGHT_VERSION=$new\n"
	swapped "export TWILIGHT_VERSION=$old\n" "export TWILIGHT_VERSION=$new\n"
	swapped "TWILIGHT_VERSION = $old\n" "TWILIGHT_VERSION = $new\n"
	swapped "  TWILIGHT_VERSION=$old  \n" "  TWILIGHT_VERSION=$new  \n"
	swapped "TWILIGHT_VERSION: $old\n" "TWILIGHT_VERSION: $new\n"
	swapped "TWILIGHT_VERSION=\"$old\"\n" "TWILIGHT_VERSION=\"$new\"\n"
	swapped "TWILIGHT_VERSION='$old'\n" "TWILIGHT_VERSION='$new'\n"
	swapped "TWILIGHT_VERSION=$old # why\n" "TWILIGHT_VERSION=$new # why\n"
	swapped "TWILIGHT_VERSION=$old\r\nB=2\r\n" "TWILIGHT_VERSION=$new\r\nB=2\r\n"
}

test_swap_is_not_fooled() {
	swapped "#TWILIGHT_VERSION=x\nTWILIGHT_VERSION=$old\n" "#TWILIGHT_VERSION=x\nTWILIGHT_VERSION=$new\n"
	swapped "MY_TWILIGHT_VERSION=x\nTWILIGHT_VERSION=$old\n" "MY_TWILIGHT_VERSION=x\nTWILIGHT_VERSION=$new\n"
	swapped "TWILIGHT_VERSIONS=x\nTWILIGHT_VERSION=$old\n" "TWILIGHT_VERSIONS=x\nTWILIGHT_VERSION=$new\n"
	swapped "twilight_version=x\nTWILIGHT_VERSION=$old\n" "twilight_version=x\nTWILIGHT_VERSION=$new\n"
	swapped "M=\"a\nTWILIGHT_VERSION=x\nb\"\nTWILIGHT_VERSION=$old\n" \
		"M=\"a\nTWILIGHT_VERSION=x\nb\"\nTWILIGHT_VERSION=$new\n"
	swapped "M='TWILIGHT_VERSION=x'\nTWILIGHT_VERSION=$old\n" "M='TWILIGHT_VERSION=x'\nTWILIGHT_VERSION=$new\n"
}

test_swap_without_a_last_newline() {
	printf 'SECRET=%s\nTWILIGHT_VERSION=%s' "$secret" "$old" >"$env"
	deploy "$new"
	is "exit code" "$rc" 0
	is "last line" "$(tail -n 1 "$env" | cat -A)" "TWILIGHT_VERSION=$new"
}

test_swap_with_a_byte_order_mark() {
	printf '\357\273\277TWILIGHT_VERSION=%s\n' "$old" >"$env"
	deploy "$new"
	is "exit code" "$rc" 0
	is "bytes" "$(cat -A "$env")" "M-oM-;M-?TWILIGHT_VERSION=$new\$"
}

test_swap_keeps_mode() {
	for mode in 600 640 400 644; do
		chmod "$mode" "$env"
		deploy "$new"
		# Read-only for its owner is no "writable" file, even for root.
		[ "$mode" = 400 ] || is "exit code with $mode" "$rc" 0
		is "mode $mode" "$(stat -c %a "$env")" "$mode"
		chmod 600 "$env"
	done
}

test_swap_keeps_group() {
	needs root
	chgrp 12345 "$env"
	chmod 640 "$env"
	deploy "$new"
	is "exit code" "$rc" 0
	is "owner, group and mode" "$(stat -c '%u %g %a' "$env")" "0 12345 640"
}

test_swap_follows_a_link_once() {
	mkdir "$T/secret"
	mv "$env" "$T/secret/real"
	ln -s ../secret/real "$env"
	deploy "$new"
	is "exit code" "$rc" 0
	is "the link stays" "$(readlink "$env")" ../secret/real
	is "its target is new" "$(version)" "$new"
	is "nothing else is there" "$(ls -A "$T/secret")" real
}

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
	for text in 'SECRET=x\n' '#TWILIGHT_VERSION=x\n' 'TWILIGHT_VERSIONS=x\n' \
		'M="\nTWILIGHT_VERSION=x\n"\n' ''; do
		printf '%b' "$text" >"$env"
		remember
		deploy "$new"
		is "exit code for [$text]" "$rc" 4
		has "message for [$text]" "$all" "missing TWILIGHT_VERSION in $env"
		has "what to write for [$text]" "$all" "TWILIGHT_VERSION=..."
		no_change
	done
}

# unfit WHY: .env is as the case made it, and that is 4, without its content.
unfit() {
	remember
	deploy "$new"
	is "exit code: $1" "$rc" 4
	lacks "no content is shown: $1" "$all" "$secret"
	no_change
}

test_empty_value() {
	printf 'TWILIGHT_VERSION=\nSECRET=%s\n' "$secret" >"$env"
	unfit "empty value"
}

test_ambiguous_env_file() {
	printf 'TWILIGHT_VERSION=a\nSECRET=%s\nTWILIGHT_VERSION=b\n' "$secret" >"$env"
	unfit "two assignments"
	matches "with a line number" "$all" '(:|line )[0-9]+'
	printf 'TWILIGHT_VERSION=a\nexport TWILIGHT_VERSION=a\n' >"$env"
	unfit "two, one exported"
	printf 'TWILIGHT_VERSION=a\nTWILIGHT_VERSION: a\n' >"$env"
	unfit "two, one with a colon"
	printf 'V=%s\nTWILIGHT_VERSION=${V}\n' "$secret" >"$env"
	unfit "interpolated"
	printf 'V=%s\nTWILIGHT_VERSION="sha-$V"\n' "$secret" >"$env"
	unfit "interpolated in quotes"
	printf 'TWILIGHT_VERSION="%s\nSECRET=%s\n' "$old" "$secret" >"$env"
	unfit "unterminated"
	printf "TWILIGHT_VERSION=%s\nSECRET='%s\n" "$old" "$secret" >"$env"
	unfit "unterminated elsewhere"
	printf 'TWILIGHT_VERSION=%s\nX=\000\n' "$old" >"$env"
	unfit "NUL"
	printf 'TWILIGHT_VERSION\nSECRET=%s\n' "$secret" >"$env"
	unfit "inherited from the environment"
}

test_huge_env_file() {
	{
		cat "$env"
		head -c 2097152 /dev/zero | tr '\0' '#'
	} >"$T/env"
	cat "$T/env" >"$env"
	rm "$T/env"
	unfit "2 MiB"
}

test_env_file_is_a_folder() {
	rm "$env"
	mkdir "$env"
	deploy "$new"
	is "exit code" "$rc" 4
	is "nothing is started" "$(calls compose\ pull)$(calls compose\ up)" 00
}

test_env_file_is_no_file() {
	rm "$env"
	mkfifo "$env"
	deploy "$new"
	is "a pipe" "$rc" 4
	rm "$env"
	ln -s nowhere "$env"
	deploy "$new"
	is "a link to nothing" "$rc" 4
	rm "$env"
	ln -s .env "$env"
	deploy "$new"
	is "a link to itself" "$rc" 4
	rm "$env"
	ln -s /dev/zero "$env"
	deploy "$new"
	is "a device" "$rc" 4
	rm "$env"
	is "nothing is started" "$(calls compose\ pull)$(calls compose\ up)" 00
}

test_missing_compose_file() {
	rm "$home/source/deploy/compose.yml"
	remember
	deploy "$new"
	is "exit code" "$rc" 4
	has "it is named" "$all" "$home/source/deploy"
	no_change
}

# The four names that compose itself looks for.
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
