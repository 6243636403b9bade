#!/bin/sh
# secrets.sh [FOLDER]: looks for keys and tokens in the files that git knows.
#
# Prints FILE:LINE of each, never the line; exits 1 if there is one.  It finds keys and
# tokens by their form; it cannot find passwords.
set -u
cd "${1:-$(dirname "$0")/..}" || exit 2

# One pattern a line.  The bracket expressions keep this file from matching itself.
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
*) echo "secrets.sh: git grep failed" && exit 2 ;;
esac
