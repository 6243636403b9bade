#!/bin/sh
# layers.sh: a file in src/ includes headers of its own folder and of folders further down
# this list, never up; main.c includes only cli/ and sys/.
set -u
cd "$(dirname "$0")/.." || exit 1

layers="cli deploy engine request config health state dotenv sys"
bad=0

rank() {
	n=0
	for layer in $layers; do
		n=$((n + 1))
		[ "$layer" = "$1" ] && break
	done
	echo $n
}

# shellcheck disable=SC2013 # words, not lines
for file in src/*/*.[ch]; do
	from=${file#src/}
	from=${from%%/*}
	for to in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$file" | sort -u); do
		case " $layers " in
		*" $to "*) ;;
		*)
			echo "$file includes an unknown folder: $to"
			bad=1
			;;
		esac
		if [ "$(rank "$to")" -lt "$(rank "$from")" ]; then
			echo "$file ($from) includes $to, which is above it"
			bad=1
		fi
	done
done
if grep -n '^#include "' src/main.c | grep -vE '"(cli|sys)/'; then
	echo "src/main.c includes more than cli/ and sys/"
	bad=1
fi
[ $bad -eq 0 ] && echo "layers: in order"
exit $bad
