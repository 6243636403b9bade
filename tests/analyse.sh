#!/bin/sh
# Analysers that are too slow for `make lint`: gcc's path analysis, clang-tidy (.clang-tidy
# lists the checks), and cppcheck with all checks.  Prints their findings; each suppression
# has its reason beside it.
set -u
cd "$(dirname "$0")/.." || exit 1
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
passed=0 failed=0

# verdict NAME: FAIL if the log has findings, else PASS.
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

# each COMMAND…: runs it for every file of src/ in place of {}, in parallel.
each() {
	printf '%s\n' src/*.c src/*/*.c src/*/*/*.c | xargs -I '{}' -P "$(nproc)" "$@"
}

# gcc 12 takes memory for lost that is kept in a list behind two pointers (add_item(),
# keep_copy()); clang-tidy and valgrind look for leaks, too.
each "${GCC:-gcc}" -fanalyzer -Wno-analyzer-malloc-leak -O1 -std=c11 -iquote src -D_GNU_SOURCE -DVERSION='""' \
	-c -o /dev/null '{}' 2>"$log"
verdict "gcc -fanalyzer"

# One process for each file: for later files of one process, LLVM 14 forgets va_start(3).
each clang-tidy --quiet '{}' -- -std=c11 -iquote src -D_GNU_SOURCE -DVERSION='""' \
	2>/dev/null >"$log"
verdict clang-tidy

# Suppressed: libc's headers (missingIncludeSystem), which gcc reads; and two matters of
# style: KNF declares variables at the top of their block (variableScope), and an empty
# loop has a `continue` (redundantContinue).
cppcheck --quiet --std=c11 --enable=warning,style,performance,portability \
	--inline-suppr --suppress=missingIncludeSystem \
	--suppress=variableScope --suppress=redundantContinue -D_GNU_SOURCE -DVERSION='""' \
	-Isrc src 2>"$log"
verdict cppcheck

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
