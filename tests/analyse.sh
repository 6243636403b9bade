#!/bin/sh
# What reads the code for longer than `make lint` may take: gcc's path analysis,
# clang-tidy (.clang-tidy says which checks), and cppcheck with all it has.
# Prints the findings of each; a suppression stands beside its reason.
set -u
cd "$(dirname "$0")/.." || exit 1
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
passed=0 failed=0

# verdict NAME: of what stands in the log.
verdict() {
	if [ -s "$log" ]; then
		cat "$log"
		echo "FAIL $1"
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
		echo "PASS $1"
	fi
	: >"$log"
}

# each COMMAND…: with every file of src/ in the place of {}, as many at a time as fit.
each() {
	printf '%s\n' src/*.c src/*/*.c | xargs -I '{}' -P "$(nproc)" "$@"
}

each "${GCC:-gcc}" -fanalyzer -O1 -std=c11 -iquote src -D_GNU_SOURCE -DVERSION='""' \
	-c -o /dev/null '{}' 2>"$log"
verdict "gcc -fanalyzer"

# A process for each file: in one for all, LLVM 14 forgets va_start(3) after the first.
each clang-tidy --quiet '{}' -- -std=c11 -iquote src -D_GNU_SOURCE -DVERSION='""' \
	2>/dev/null >"$log"
verdict clang-tidy

# Left out: libc's headers (missingIncludeSystem), which gcc reads; and two of taste:
# variables stand at the top of their block as KNF has them (variableScope), and an
# empty loop says so with `continue` (redundantContinue).
cppcheck --quiet --std=c11 --enable=warning,style,performance,portability \
	--inline-suppr --suppress=missingIncludeSystem \
	--suppress=variableScope --suppress=redundantContinue -D_GNU_SOURCE -DVERSION='""' \
	-Isrc src 2>"$log"
verdict cppcheck

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
