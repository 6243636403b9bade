#!/bin/sh
# run.sh: searches journal.pml whole, for each configuration, with spin; then the
# variants with a fault put in, where spin must find an error.
#
#	run.sh [NAME ...]	only these; `sample` for some that take a minute in all
#	MODEL_DEEP=1		one more request and one more kill: many minutes, some GiB
#	MODEL_MEM=2000		MiB for one search
#	MODEL_JOBS=N		searches at a time, else as many as there are processors
#
# A configuration passes when both searches come to their end without an error:
# nothing truncated by depth or by memory.  A variant passes when an error is found,
# which is an answer only if its search was not just cut short.  Then, every REACH of
# the model must have been reached in one configuration at least: where nothing comes
# by, nothing was checked.
set -u

here=$(cd "$(dirname "$0")" && pwd)
model=$here/journal.pml
build=$(cd "$here/../.." && pwd)/build/model
mem=${MODEL_MEM:-2000}
deep=${MODEL_DEEP:+-DREQUESTS=3 -DKILLS=3}

# NAME  flags; one for each line
configurations() {
	cat <<-END
	TAGS
	MUTABLE		-DMUTABLE
	MOVES		-DMUTABLE -DMOVES -DFAULTS=0
	FIRST		-DFIRST
	DRIFT		-DDRIFT
	ROLLBACK	-DVERB_ROLLBACK
	ROLLBACK_MUTABLE	-DVERB_ROLLBACK -DMUTABLE
	SILENT		-DSILENT
	SILENT_ROLLBACK	-DSILENT -DVERB_ROLLBACK
	RECOVERIES	-DREQUESTS=3 -DKILLS=3 -DFAULTS=0
	STUCK		-DSTUCK -DMUTABLE
	STUCK_FIRST	-DSTUCK -DFIRST
	CRASH		-DCRASH -DEVENTS=1 -DFAULTS=0
	BOOT		-DBOOT -DEVENTS=1 -DMUTABLE
	BOOT_DRIFT	-DBOOT -DEVENTS=1 -DDRIFT -DFAULTS=0
	PERSON		-DPERSON -DEVENTS=1 -DFAULTS=0 -DKILLS=1
	PRUNED		-DPRUNED -DEVENTS=1 -DNAMES -DREQUESTS=1
	FORCED		-DFORCED -DEVENTS=1 -DNAMES -DREQUESTS=1 -DVERB_ROLLBACK -DMUTABLE
	END
}

variants() {
	cat <<-END
	BUG_HISTORY_AFTER_CLEAR
	BUG_SWAP_BEFORE_JOURNAL
	BUG_NO_UPLOCK
	BUG_NO_LOCK
	BUG_LOCK_LEFT
	BUG_FORWARD_AGAIN
	BUG_NO_GATE
	FOUND_SWAP_FAILS	-DVERB_ROLLBACK
	FOUND_REPLACED	-DBOOT -DEVENTS=1 -DMUTABLE
	FOUND_NAME_GONE	-DPRUNED -DEVENTS=1 -DNAMES -DREQUESTS=1
	FOUND_NAME_LEFT	-DMUTABLE
	FOUND_ENV_LIES
	FOUND_TARGET_GONE	-DFORCED -DEVENTS=1 -DNAMES -DREQUESTS=1 -DVERB_ROLLBACK -DMUTABLE
	FOUND_STUCK	-DSTUCK -DMUTABLE
	END
}

# in its own folder, with pan.c, pan and the trail
make_pan() {
	cp "$model" .
	# NOREDUCE: the order of steps is not to be reduced across an `unless`.
	# o3: merged statements would not be listed as unreached.
	# O0: pan.c takes longer to optimise than to run.
	# shellcheck disable=SC2086 # flags
	spin -a -o3 $1 journal.pml >spin.out 2>&1 &&
		${CC:-cc} -O0 -w -DNOREDUCE -DNOFAIR -DVECTORSZ=1024 -DMEMLIM="$mem" \
			-o pan pan.c >>spin.out 2>&1
}

# search CLAIM FLAGS: its output in CLAIM.out; 0 complete, without an error;
# 1 an error; 2 not complete
search() {
	# shellcheck disable=SC2086 # flags
	./pan -m1000000 -w22 $2 -N "$1" >"$1.out" 2>&1
	grep -q 'errors: [1-9]' "$1.out" && return 1
	grep -q 'errors: 0$' "$1.out" || return 2
	! grep -qE 'max search depth|Search not completed|out of memory|reached -DMEMLIM' \
		"$1.out" || return 2
}

states() { sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$1.out"; }
depth() { sed -n 's/.*depth reached \([0-9]*\),.*/\1/p' "$1.out"; }
errors() { sed -n 's/.*errors: \([0-9]*\).*/\1/p' "$1.out"; }
memory() { sed -n 's/^ *\([0-9]*\)\.[0-9]*[[:space:]]*total actual memory.*/\1/p' "$1.out"; }
row() { printf '%-24s %9s %6s %6s %5s  %s\n' "$@"; }

# The lines of the model at which a search did not come by.
unreached() { sed -n 's/.*journal\.pml:\([0-9]*\), state.*/\1/p' "$1" | sort -u; }

configuration() {
	bad=
	search agree ""
	case $? in
	1) bad="agree: an error" ;;
	2) bad="agree: not searched whole" ;;
	esac
	search ends -a
	case $? in
	1) bad="$bad ends: an error" ;;
	2) bad="$bad ends: not searched whole" ;;
	esac
	row "$1" "$(states agree)" "$(depth agree)" "$(errors agree)+$(errors ends)" \
		"$(memory ends)" "$2"
	[ -z "$bad" ] && return 0
	echo "FAIL $1: $bad; in build/model/$1: spin -k journal.pml.trail -p $2 journal.pml"
	return 1
}

variant() {
	claim=agree
	if search agree ""; then
		claim=ends
		search ends -a
	fi
	row "$1" "$(states $claim)" "$(depth $claim)" "$(errors $claim)" "$(memory $claim)" \
		"$(sed -n 's/^pan:1: \(.\{1,44\}\).*/\1/p' $claim.out)"
	grep -q 'errors: [1-9]' $claim.out && return 0
	echo "FAIL $1: spin found no error in what has one"
	return 1
}

# one KIND NAME FLAGS: in a process of its own
one() {
	rm -rf "${build:?}/$2"
	mkdir -p "$build/$2"
	cd "$build/$2" || exit 1
	if ! make_pan "$3"; then
		echo "FAIL $2: spin or the compiler; see build/model/$2/spin.out"
		exit 1
	fi
	"$1" "$2" "$3" && touch passed
	rm -f pan pan.?
}

# Every REACH is reached by one configuration at least.
coverage() {
	lost=
	# shellcheck disable=SC2013 # numbers
	for line in $(grep -nE 'REACH;|-> REACH$' "$model" | cut -d: -f1); do
		hit=no
		while read -r name _; do
			unreached "$build/$name/agree.out" | grep -qx "$line" || hit=yes
		done <<-END
		$(configurations)
		END
		[ $hit = yes ] || lost="$lost $line"
	done
	[ -z "$lost" ] && return 0
	echo "FAIL no configuration comes to these lines of journal.pml:$lost"
	return 1
}

if [ "${1:-}" = --one ]; then
	one "$2" "$3" "${4:-}"
	exit 0
fi

# all KIND: from stdin, as many at a time as there are processors
all() {
	while read -r name flags; do
		case " $only " in
		"  " | *" $name "*) ;;
		*) continue ;;
		esac
		[ "$1" = variant ] && flags="-D$name $flags"
		[ "$1" = configuration ] && flags="$flags $deep"
		echo "$name" >>"$build/names"
		printf '%s\0%s\0' "$name" "$flags"
	done | xargs -0 -r -n 2 -P "${MODEL_JOBS:-$(nproc)}" "$0" --one "$1"
}

command -v spin >/dev/null || "$here/../deps.sh" spin || exit 1
only=$*
if [ "$only" = sample ]; then
	only="FIRST SILENT BOOT_DRIFT CRASH PRUNED BUG_HISTORY_AFTER_CLEAR BUG_NO_UPLOCK"
	only="$only BUG_FORWARD_AGAIN FOUND_REPLACED FOUND_STUCK"
fi
mkdir -p "$build"
: >"$build/names"
row configuration states depth errors MiB flags
configurations | all configuration
echo
row 'variant: has an error' states depth errors MiB error
variants | all variant
echo

passed=0
failed=0
while read -r name; do
	if [ -e "$build/$name/passed" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done <"$build/names"
if [ -z "$only" ]; then
	if coverage; then
		passed=$((passed + 1))
		echo "every marked step of the model is reached"
	else
		failed=$((failed + 1))
	fi
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
