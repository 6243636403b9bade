#!/bin/sh
# run.sh: searches phases.pml whole, for each configuration, with spin; then the
# variants with a defect, where spin must find an error.
#
#	run.sh [NAME ...]	only these; `sample` for some that take half a minute in all
#	MODEL_DEEP=1		one more request and one more kill: minutes, some GiB
#	MODEL_MEM=2000		MiB for one search
#	MODEL_JOBS=N		searches at a time, else as many as there are processors
#
# A configuration passes when the search ends without an error, and was not truncated by
# depth or by memory.  A variant passes when an error is found.  Every REACH of the model
# must be reached in one configuration at least: elsewhere nothing was checked.
set -u

here=$(cd "$(dirname "$0")" && pwd)
model=$here/phases.pml
build=$(cd "$here/../.." && pwd)/build/model
mem=${MODEL_MEM:-2000}
deep=${MODEL_DEEP:+-DREQUESTS=3 -DKILLS=3}

# NAME  flags; one for each line
configurations() {
	cat <<-END
	TAGS		-DKILLS=2 -DFAULTS=2
	MUTABLE		-DMUTABLE -DKILLS=2 -DFAULTS=2
	ONE_CHANGES	-DONE_CHANGES -DKILLS=2 -DFAULTS=2
	SAME		-DSAME -DKILLS=2
	FIRST		-DFIRST -DKILLS=2 -DFAULTS=2
	NOTHING		-DNOTHING -DKILLS=2 -DFAULTS=2
	ROLLBACK	-DROLLBACK -DKILLS=2 -DFAULTS=2
	BLIND		-DBLIND -DFAULTS=2
	BLIND_ROLLBACK	-DBLIND -DROLLBACK -DFAULTS=2
	RECOVERIES	-DREQUESTS=3 -DKILLS=3
	POWER		-DPOWER -DKILLS=2
	POWER_MUTABLE	-DPOWER -DMUTABLE -DKILLS=2
	POWER_NOTHING	-DPOWER -DNOTHING -DMUTABLE
	POWER_ROLLBACK	-DPOWER -DROLLBACK
	START		-DSTART -DPOWER -DKILLS=2
	CRASH		-DCRASH -DEVENTS=1
	CRASH_ROLLBACK	-DCRASH -DROLLBACK -DEVENTS=1 -DFAULTS=2
	PERSON		-DPERSON -DEVENTS=1
	PERSON_MUTABLE	-DPERSON -DMUTABLE -DEVENTS=2
	PERSON_ROLLBACK	-DPERSON -DROLLBACK -DEVENTS=1
	OUTAGE		-DOUTAGE -DEVENTS=1
	OUTAGE_ROLLBACK	-DOUTAGE -DROLLBACK -DEVENTS=1
	DOWN		-DDOWN -DKILLS=2 -DFAULTS=2
	ROT		-DROT -DEVENTS=1 -DFAULTS=2
	HUNG		-DHUNG -DFAULTS=2
	HUNG_NOTHING	-DHUNG -DNOTHING
	SECOND		-DSECOND -DREQUESTS=3
	JOB		-DJOB -DKILLS=2 -DFAULTS=2
	DRAIN		-DDRAINS -DKILLS=2 -DFAULTS=2
	DRAIN_MUTABLE	-DDRAINS -DMUTABLE -DFAULTS=2
	DRAIN_ROLLBACK	-DDRAINS -DROLLBACK -DKILLS=2 -DFAULTS=2
	DRAIN_BLIND	-DDRAINS -DBLIND -DFAULTS=2
	DRAIN_PERSON	-DDRAINS -DPERSON -DEVENTS=1
	JOB_DRAIN	-DJOB -DDRAINS -DPOWER
	REHEARSE	-DREHEARSE -DKILLS=2 -DFAULTS=2
	REHEARSE_ONE	-DREHEARSE -DONE_CHANGES -DMUTABLE -DFAULTS=2
	REHEARSE_POWER	-DREHEARSE -DPOWER -DFIRST
	REHEARSE_CRASH	-DREHEARSE -DCRASH -DEVENTS=1
	REHEARSE_PERSON	-DREHEARSE -DPERSON -DEVENTS=1
	REHEARSE_JOB_DRAIN	-DREHEARSE -DJOB -DDRAINS
	END
}

# Each injects a defect into the model.
variants() {
	cat <<-END
	BUG_NO_JOURNAL
	BUG_FORWARD_AFTER_REVERT
	BUG_ONE_SERVICE
	BUG_DISCARD_FORGETS	-DMUTABLE
	BUG_NO_REAP
	BUG_HISTORY_AFTER_CLEAR
	BUG_NO_VERIFY		-DROT -DEVENTS=1
	BUG_NO_ABANDON		-DPERSON -DEVENTS=1
	BUG_NO_LOCK		-DSECOND
	BUG_JUDGED
	BUG_AWAY_REVERTS	-DROLLBACK -DFAULTS=2
	BUG_DISK_JUDGES
	BUG_OUTAGE_JUDGES	-DOUTAGE -DEVENTS=1
	BUG_ALL_MUST_RUN	-DDOWN
	BUG_CUT			-DMUTABLE
	BUG_NAME_LEFT		-DMUTABLE -DFAULTS=2
	BUG_HUNG		-DHUNG -DNOTHING
	BUG_ENV_LIES		-DROT -DEVENTS=1
	BUG_SECOND_UP		-DFAULTS=2
	BUG_START		-DSTART
	BUG_START_CODE	-DSTART
	BUG_SAME		-DSAME
	BUG_NEWBORN		-DNOTHING -DMUTABLE -DPOWER
	BUG_ABANDON		-DPERSON -DEVENTS=1
	BUG_OPEN
	BUG_CLEARED		-DFAULTS=2
	BUG_JOB_TWICE		-DJOB
	BUG_JOB_FORWARD		-DJOB
	BUG_JOB_BESIDE		-DJOB
	BUG_DRAINED		-DDRAINS
	BUG_CANDIDATE_LEFT	-DREHEARSE
	BUG_CANDIDATE_FORWARD	-DREHEARSE
	BUG_CANDIDATE_APPLIED	-DREHEARSE
	BUG_CANDIDATE_BESIDE	-DREHEARSE
	END
}

# in its own folder, with pan.c, pan and the trail
make_pan() {
	cp "$model" .
	# o3: merged statements would not be listed as unreached.
	# O0: pan.c takes longer to optimise than to run.
	# shellcheck disable=SC2086 # flags
	spin -a -o3 $1 phases.pml >spin.out 2>&1 &&
		${CC:-cc} -O0 -w -DSAFETY -DCOLLAPSE -DVECTORSZ=1024 -DMEMLIM="$mem" \
			-o pan pan.c >>spin.out 2>&1
}

# its output in pan.out; 0 complete, without an error; 1 an error; 2 not complete
search() {
	./pan -m1000000 -w22 >pan.out 2>&1
	grep -q 'errors: [1-9]' pan.out && return 1
	grep -q 'errors: 0$' pan.out || return 2
	! grep -qE 'max search depth|Search not completed|out of memory|reached -DMEMLIM' \
		pan.out || return 2
}

states() { sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' pan.out; }
depth() { sed -n 's/.*depth reached \([0-9]*\),.*/\1/p' pan.out; }
errors() { sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.out; }
memory() { sed -n 's/^ *\([0-9]*\)\.[0-9]*[[:space:]]*total actual memory.*/\1/p' pan.out; }
row() { printf '%-24s %9s %6s %6s %5s  %s\n' "$@"; }

# The lines of the model at which a search did not come by.
unreached() { sed -n 's/.*phases\.pml:\([0-9]*\), state.*/\1/p' "$1" | sort -u; }

configuration() {
	bad=
	search
	case $? in
	1) bad="an error" ;;
	2) bad="not searched whole" ;;
	esac
	row "$1" "$(states)" "$(depth)" "$(errors)" "$(memory)" "$2"
	[ -z "$bad" ] && return 0
	echo "FAIL $1: $bad; in build/model/$1: spin -k phases.pml.trail -p $2 phases.pml"
	return 1
}

variant() {
	search
	row "$1" "$(states)" "$(depth)" "$(errors)" "$(memory)" \
		"$(sed -n 's/^pan:1: \(.\{1,44\}\).*/\1/p' pan.out)"
	grep -q 'errors: [1-9]' pan.out && return 0
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
			unreached "$build/$name/pan.out" | grep -qx "$line" || hit=yes
		done <<-END
		$(configurations)
		END
		[ $hit = yes ] || lost="$lost $line"
	done
	[ -z "$lost" ] && return 0
	echo "FAIL no configuration comes to these lines of phases.pml:$lost"
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
	only="NOTHING ROLLBACK BLIND_ROLLBACK SAME START BUG_NO_JOURNAL BUG_NO_REAP"
	only="$only BUG_FORWARD_AFTER_REVERT BUG_ONE_SERVICE BUG_CUT"
	only="$only DRAIN_ROLLBACK JOB_DRAIN BUG_JOB_TWICE BUG_JOB_FORWARD BUG_DRAINED"
	only="$only REHEARSE_POWER BUG_CANDIDATE_LEFT BUG_CANDIDATE_APPLIED"
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
