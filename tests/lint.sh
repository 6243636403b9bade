#!/bin/sh
# Static checks: shell scripts, warnings of a second compiler, layers, and style rules that
# no tool knows.  Prints one line for each finding.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0

fail() {
	echo "lint: $*"
	bad=1
}

# --- shell ---
scripts=$(git ls-files | while read -r file; do
	head -c 64 "$file" | head -n 1 | grep -qE '^#!.*\b(sh|bash)\b' && echo "$file"
done)
# shellcheck disable=SC2086 # a list of files
shellcheck -x $scripts || fail "shellcheck"

# --- workflows; secrets in the tree ---
tests/workflows.sh || fail "workflows"
tests/secrets.sh || fail "secrets"

# --- compose files, each with its env.example; needs no engine ---
room=$(mktemp -d)
if docker compose version >/dev/null 2>&1; then
	# two folders below .env or beside it, as on a host
	mkdir -p "$room/source/deploy"
	for file in $(git ls-files | grep -E '(^|/)(docker-)?compose\.ya?ml$'); do
		cp "$file" "$room/source/deploy/compose.yml"
		cp "$(dirname "$file")/env.example" "$room/.env"
		cp "$room/.env" "$room/source/deploy/.env"
		docker compose --env-file "$room/.env" -f "$room/source/deploy/compose.yml" \
			config -q || fail "$file"
	done
else
	echo "SKIP compose_config: no docker compose"
fi

# --- configuration files: a wrong one is 4, before the request is 2 ---
for file in $(git ls-files '*.conf' | grep -F twilight-deploy.conf); do
	# a checkout may be writable by others, which the program refuses
	install -m 644 "$file" "$room/conf"
	found=$(build/twilight-deploy --config "$room/conf" deploy none 2>&1)
	[ $? -eq 2 ] || fail "$file: $found"
done
rm -r "$room"

# --- formatting; other versions of clang-format format differently ---
if command -v clang-format-14 >/dev/null; then
	git ls-files '*.c' '*.h' | xargs clang-format-14 --dry-run -Werror || fail "clang-format"
else
	echo "SKIP formatting: no clang-format-14"
fi

# --- C: clang warns about other things than gcc ---
for file in src/*.c src/*/*.c src/*/*/*.c tests/unit/*.c tests/fuzz/*.c mocks/*.c; do
	clang -fsyntax-only -std=c11 -Wall -Wextra -Wshadow -Wconversion \
		-Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror -iquote src \
		-D_GNU_SOURCE -DVERSION='""' "$file" || fail "$file"
done
cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability \
	--suppress=missingIncludeSystem --inline-suppr -D_GNU_SOURCE -DVERSION='""' -Isrc \
	src || fail "cppcheck"

# --- the man page ---
mandoc -T lint -W warning docs/twilight-deploy.8 || fail "mandoc"

# --- style rules ---
tests/layers.sh >/dev/null || tests/layers.sh || bad=1
git grep -nI '[[:space:]]$' -- . ':!*.md' ':!tests/fuzz/corpus' && fail "white space at the end of a line"
# shellcheck disable=SC2016 # awk's
git ls-files 'src/*.[ch]' | xargs awk '
    length($0) > 100 { print FILENAME ":" FNR ": longer than 100 columns"; n++ }
    FNR == 1 { start = 0 }
    /^[a-z_0-9]+\(/ { start = FNR; name = $1 }
    /^}/ { if (start && FNR - start > 60) { print FILENAME ":" start ": " FNR - start " lines: " name; n++ } start = 0 }
    FNR == 421 { print FILENAME ": more than 420 lines"; n++ }
    END { exit n > 0 }' || bad=1

# a function of src/ has a name of its own in the tree, so that grep finds it
# shellcheck disable=SC2016 # awk's
git ls-files '*.c' | xargs awk '
    /^[a-z_0-9]+\(/ { sub(/\(.*/, ""); if ($0 != "main") print $0, FILENAME }' |
	LC_ALL=C sort | awk '{ n[$1]++; files[$1] = files[$1] " " $2; own[$1] = own[$1] || $2 ~ /^src\// }
    END { for (f in n) if (n[f] > 1 && own[f]) { print f ":" files[f]; bad++ } exit bad > 0 }' ||
	fail "functions with one name"

# modules never print and never exit; only main.c and cli/ do
git grep -nE '\b(printf|fprintf|puts|perror|err|errx|warn|warnx|exit)\(' -- 'src/*.c' \
	':!src/cli' && fail "a module below cli/ prints or exits"

[ $bad -eq 0 ] && echo "lint: clean"
exit $bad
