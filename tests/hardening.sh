#!/bin/sh
# hardening.sh: checks that binaries have the hardening of the Makefile.
#
#   tests/hardening.sh PROGRAM…
#
# PROGRAM is dynamic or static, not stripped.  Prints PASS or FAIL for each.
set -u
[ $# -ge 1 ] || {
	echo "usage: hardening.sh PROGRAM..." >&2
	exit 2
}
passed=0 failed=0

# says WHAT OPTION ERE: the output of readelf OPTION matches ERE.
says() {
	readelf -W "$2" "$program" | grep -Eq -- "$3" || missing="$missing, $1"
}

never() {
	! readelf -W "$2" "$program" | grep -Eq -- "$3" || missing="$missing, $1"
}

# calls WHAT FUNCTION CALLED: FUNCTION of ours calls CALLED.  A static libc has the symbol in
# any case, so the symbol table is not enough.
calls() {
	objdump -d --no-show-raw-insn --disassemble="$2" "$program" |
		grep -q "<$3[@>]" || missing="$missing, $1"
}

for program; do
	missing=
	if ! readelf -h "$program" >/dev/null 2>&1; then
		missing=", an ELF file"
	else
		says PIE -h 'Type: +DYN'
		says PIE -d 'FLAGS_1.*\bPIE\b'
		says RELRO -l '^ +GNU_RELRO '
		says BIND_NOW -d '\bBIND_NOW\b|FLAGS_1.*\bNOW\b'
		says "a stack that is not executable" -l '^ +GNU_STACK .* RW +0x'
		never "no segment that is writable and executable" -l '^ +LOAD .* RWE '
		never "no text relocation" -d TEXTREL
		never "no RPATH" -d 'RPATH|RUNPATH'
		calls "a stack protector" url_parse __stack_chk_fail
		calls FORTIFY fault_set "_*vsnprintf_chk"
	fi
	if [ -z "$missing" ]; then
		passed=$((passed + 1))
		echo "PASS hardening of $program"
	else
		failed=$((failed + 1))
		echo "FAIL hardening of $program: wants ${missing#, }"
	fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
