#!/bin/sh
# secrets.sh [FOLDER]: does a file that git knows hold what looks like a secret?
#
# Prints FILE:LINE of each, never the line; exits 1 if there is one.  It knows keys and
# tokens by their shape; what has none (a password) it cannot see.
set -u
cd "${1:-$(dirname "$0")/..}" || exit 2

# One a line.  The classes keep this file from finding itself.
found=$(git grep -nIE -f - --  . <<'END'
[-]----BEGIN [A-Z ]*PRIVATE KEY
(ghp|gho|ghu|ghs|ghr)[_][A-Za-z0-9]{36}
github[_]pat_[A-Za-z0-9_]{40}
(AKIA|ASIA)[A-Z0-9]{16}
LTAI[A-Za-z0-9]{16,}
xox[abprs][-][A-Za-z0-9-]{20}
[0-9a-f]{32}[.]access
CF_ACCESS_CLIENT_SECRET['": =]+[0-9a-f]{64}
TunnelSecret['": ]+[A-Za-z0-9+/]{40}
eyJhIjoi[A-Za-z0-9+/=]{60}
END
)
case $? in
0) printf '%s\n' "$found" | cut -d: -f1,2 | sed 's/$/: looks like a secret/' && exit 1 ;;
1) exit 0 ;;
*) echo "secrets.sh: git grep did not work" && exit 2 ;;
esac
