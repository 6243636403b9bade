#!/bin/sh
# run.sh: are the documents true?  Every relative link has a target; the runbook's commands
# are run as printed, and print what it shows.  `PASS name`, `FAIL name` or `SKIP name: why`
# for each, `N passed, N failed` at the end.
set -u

TREE=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/install/begin.sh
. "$TREE/tests/install/begin.sh"

# links FILE: those without a target, file or heading
links() {
	grep -oE '\]\([^)]+\)' "$1" | sed 's/^](//; s/)$//' | grep -vE '^(https?|mailto):' | while read -r link; do
		target=${link%%#*}
		[ -n "$target" ] && target=$(dirname "$1")/$target || target=$1
		if [ ! -e "$target" ]; then
			echo "$link"
		elif [ "$link" != "${link#*#}" ]; then
			headings "$target" | grep -qxF "${link#*#}" || echo "$link: no such heading"
		fi
	done
}

# As GitHub makes anchors of headings.
headings() {
	sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

check_links() {
	cd "$TREE" || exit 1
	git ls-files -co --exclude-standard '*.md' | while read -r file; do
		wrong=$(links "$file")
		if [ -z "$wrong" ]; then
			echo "PASS links_of_$file"
		else
			printf 'FAIL links_of_%s\n%s\n' "$file" "$wrong"
		fi
	done
}

# Each test that the security page names exists: a case, a unit test, a file.
check_named_tests() {
	# shellcheck disable=SC2016 # backticks of the page
	grep '^|' "$TREE/docs/security.md" | sed 's/.*| \([^|]*\) |$/\1/' |
		grep -oE '`[a-z][a-z0-9_/.]+`' | tr -d '`' | sort -u | while read -r name; do
		if [ -e "$TREE/$name" ] || [ -e "$TREE/tests/unit/$name" ] || [ -e "$TREE/src/$name" ] ||
			grep -rqE "^test_$name\(\)|START_TEST\($name\)" "$TREE"/tests/shell/cases "$TREE"/tests/unit; then
			echo "PASS security_names_$name"
		else
			echo "FAIL security_names_$name: there is no such test"
		fi
	done
}

check_links | results
check_named_tests | results
# its own engine, because the project has the name that the document gives it
DOCKER_HOST=unix:///nonexistent
export DOCKER_HOST
with_roots runbook unshare --mount --pid --fork --kill-child --mount-proc \
	"$TREE/tests/docs/runbook.sh" "$WORK"
tally
