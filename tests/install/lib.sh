# shellcheck shell=sh
# lib.sh: how a case is run and told.  Sourced by dry.sh and root.sh; needs WORK.

NL='
'

# try CASE [ARGUMENT…]: case_CASE in a subshell; it prints what it did, and the first
# expectation that does not hold ends it.  The first argument is a part of the name.
try() {
	try_name=$(printf '%s' "$1${2+: $2}" | tr -cs 'A-Za-z0-9_.:/=\n' '_')
	try_case=case_$1
	shift
	if ("$try_case" "$@") >"$WORK/out" 2>&1; then
		echo "PASS $try_name"
	else
		echo "FAIL $try_name"
		sed 's/^/     /' "$WORK/out"
	fi
}

skip() { echo "SKIP $*"; }

fail() {
	printf '  expected: %s\n' "$*"
	exit 1
}

# is WHAT WANTED GOT
is() {
	[ "$2" = "$3" ] || fail "$1:$NL$2${NL}not:$NL$3"
}

# has FILE TEXT
has() {
	grep -qF -- "$2" "$1" || fail "in $1: $2${NL}not:$NL$(cat "$1")"
}

# tree DIR: all that a change would show in.
tree() {
	(cd "$1" && find . -mindepth 1 \( -type d -printf '%P %y %m %U:%G %T@\n' -o \
		-printf '%P %y %m %U:%G %s %T@ %l\n' \) | sort)
}
