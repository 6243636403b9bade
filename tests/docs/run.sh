#!/bin/sh
# run.sh: do the documents say what is so?  Every relative link in them leads somewhere;
# the runbook's commands are run as printed, and print what it shows.  `PASS name`, `FAIL
# name` or `SKIP name: why` for each, `N passed, N failed` at the end.
set -u

TREE=$(cd "$(dirname "$0")/../.." && pwd)
E2E_LIB=$TREE/tests/e2e
export E2E_LIB
# shellcheck source=tests/e2e/engine.sh
. "$E2E_LIB/engine.sh"
PATH=$PATH:/usr/sbin:/sbin
export PATH
# short: the engine's sockets lie under it
WORK=$(mktemp -d /tmp/docs.XXXXXX) || exit 1

cleanup() {
	trap '' INT TERM HUP
	engine_stop
	rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

: >"$WORK/results"
results() { tee -a "$WORK/results"; }

# links FILE: those that lead nowhere, files and headings
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

# Each test that the security page names is there: a case, a unit test, a file.
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
if [ "$(id -u)" -ne 0 ]; then
	echo 'SKIP runbook: needs root' | results
elif ! need_package sshd openssh-server || ! need_package jq jq || ! need_package gcc gcc libc6-dev; then
	echo 'FAIL what the runbook needs (see above)' | results
elif ! unshare --mount "$TREE/tests/install/root.sh" --probe "$WORK"; then
	echo 'SKIP runbook: no overlay of / can be mounted here' | results
# an engine of its own, for the project has the name that the document gives it
elif DOCKER_HOST=unix:///nonexistent && export DOCKER_HOST && engine_start "$WORK/engine"; then
	export ENGINE_DIR
	unshare --mount --pid --fork --kill-child --mount-proc \
		"$TREE/tests/docs/runbook.sh" "$WORK" | results
else
	echo 'FAIL the real components (see above)' | results
fi
passed=$(grep -c ^PASS "$WORK/results")
failed=$(grep -c ^FAIL "$WORK/results")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
