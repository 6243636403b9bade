# hooks.sh: on_start and on_result: when they run, what they get, and what their failure changes.
# shellcheck shell=sh disable=SC2154,SC2034

# hooks: both are a program that keeps what it gets in $T/hooks/N.*
hooks() {
	mkdir "$T/hooks"
	cat >"$T/hook" <<-END
		#!/bin/sh
		n=\$((\$(find "$T/hooks" -name '*.record' | wc -l) + 1))
		at=$T/hooks/\$n
		env | sort >\$at.env
		printf '[%s]' "\$@" >\$at.args
		pwd >\$at.cwd
		cp "$log" \$at.calls
		if flock -n "$state/lock" true; then echo free; else echo held; fi >\$at.lock
		cat >\$at.record
		echo nothing to see
	END
	chmod +x "$T/hook"
	export TWILIGHT_ON_START="$T/hook start  of it" TWILIGHT_ON_RESULT="$T/hook result"
}

# ran N VARIABLE VALUE…: the variables of the N-th hook
ran() {
	n=$1
	shift
	while [ $# -gt 0 ]; do
		is "$1 of hook $n" "$(sed -n "s/^TWILIGHT_$1=//p" "$T/hooks/$n.env")" "$2"
		shift 2
	done
}

runs_of_hooks() { # N
	is "runs of hooks" "$(find "$T/hooks" -name '*.record' | wc -l)" "$1"
}

# Warnings about hooks in the last request.
warns() { # WORDS…
	is "warnings" "$(printf '%s\n' "$err" | grep ' ! on_' | sed "s,$T,T,; s/^ *! //")" "$1"
}

newest() {
	net "history 1 --json"
	printf '%s\n' "$out"
}

test_memory_hooks_of_a_deploy() {
	needs flock
	memory v1.0.0
	publish v1.0.1
	deploy v1.0.0
	hooks
	export FOO=kept BAR=dropped TWILIGHT_KEEP_ENV=FOO
	: >"$log"
	deploy v1.0.1 --actor me
	is "exit code" "$rc" 0
	runs_of_hooks 2
	warns ""
	lacks "the output of a hook is not shown" "$all" "nothing to see"
	ran 1 TARGET default VERB deploy TAG v1.0.1 PREVIOUS v1.0.0 OUTCOME started CODE 0 WHY ''
	is "words" "$(cat "$T/hooks/1.args")" "[start][of][it]"
	is "folder" "$(cat "$T/hooks/1.cwd")" /
	is "the lock at the start" "$(cat "$T/hooks/1.lock")" held
	lacks "nothing is pulled before" "$(cat "$T/hooks/1.calls")" "compose pull"
	has "the record" "$(cat "$T/hooks/1.record")" '"outcome":"started"'
	ran 2 TARGET default VERB deploy TAG v1.0.1 PREVIOUS v1.0.0 OUTCOME deployed CODE 0 WHY ''
	is "words" "$(cat "$T/hooks/2.args")" "[result]"
	is "the lock at the end" "$(cat "$T/hooks/2.lock")" free
	is "the record" "$(cat "$T/hooks/2.record")" "$(newest)"
	is "the environment" "$(sed '/^TWILIGHT_/d; s/=.*//' "$T/hooks/2.env" | tr '\n' ' ')" \
		"$(printf '%s\n' FOO HOME LANG LOGNAME PATH PWD SHELL USER | tr '\n' ' ')"
	is "variables" "$(grep -c '^TWILIGHT_' "$T/hooks/2.env")" 7
}

test_memory_hooks_of_a_failure() {
	needs flock
	memory v1.0.0
	publish v1.0.1 never
	publish v1.0.2
	deploy v1.0.0
	hooks
	deploy v1.0.1
	is "exit code" "$rc" 1
	runs_of_hooks 2
	ran 1 OUTCOME started TAG v1.0.1
	ran 2 OUTCOME 'rolled back' CODE 1 TAG v1.0.1
	has "why" "$(grep TWILIGHT_WHY "$T/hooks/2.env")" "answered 503"
	is "the record" "$(cat "$T/hooks/2.record")" "$(newest)"
	deploy v1.0.9
	runs_of_hooks 4
	ran 4 OUTCOME discarded CODE 1 TAG v1.0.9
	deploy v1.0.2
	net rollback --allow all
	is "exit code of a rollback" "$rc" 0
	runs_of_hooks 8
	ran 7 OUTCOME started VERB rollback TAG v1.0.0 PREVIOUS v1.0.2
	ran 8 OUTCOME deployed VERB rollback TAG v1.0.0
}

# What is found running, and unknown, has a record too; where nothing is done there is none.
test_memory_hooks_without_a_deploy() {
	needs flock
	memory v1.0.0
	publish v1.0.1
	hooks
	for request in "deploy no:tag" "plan v1.0.1" verify status history recover; do
		net "$request" --allow all
	done
	runs_of_hooks 0
	deploy "v1.0.1 seq=7"
	runs_of_hooks 3
	ran 2 OUTCOME adopted TAG v1.0.0 CODE 0
	deploy "v1.0.0 seq=6"
	is "exit code of a superseded one" "$rc" 6
	runs_of_hooks 3
}

test_memory_hooks_of_a_recovery() {
	needs flock
	memory v1.0.0
	publish v1.0.1
	publish v1.0.2
	deploy v1.0.0
	hooks
	for request in recover "deploy v1.0.2" "recover --start"; do
		rm -rf "$T/hooks"
		mkdir "$T/hooks"
		fault '* hang docker compose up'
		begin "deploy v1.0.1"
		await test -s "$engine/hanging"
		kill -KILL "$asked" "$(cat "$engine/hanging")"
		finish
		rm "$T/codes" "$engine/hanging"
		fault
		runs_of_hooks 1
		net "$request" --allow all
		case $request in
		deploy*)
			runs_of_hooks 4
			ran 2 OUTCOME started TAG v1.0.2
			ran 3 OUTCOME 'rolled back' TAG v1.0.1
			ran 4 OUTCOME deployed TAG v1.0.2
			;;
		*)
			runs_of_hooks 2
			ran 2 OUTCOME 'rolled back' TAG v1.0.1 VERB deploy
			is "the lock" "$(cat "$T/hooks/2.lock")" free
			;;
		esac
	done
}

test_memory_hooks_that_fail() {
	memory v1.0.0
	publish v1.0.1
	deploy v1.0.0
	mkdir "$T/secret"
	export TWILIGHT_ON_START="$T/secret/start" TWILIGHT_ON_RESULT="$T/secret/missing $secret"
	printf '#!/bin/sh\nprintf "first\\nthe \\033key %s is wrong\\n\\n" >&2\nexit 7\n' "$secret" \
		>"$TWILIGHT_ON_START"
	chmod +x "$TWILIGHT_ON_START"
	deploy v1.0.0
	is "exit code" "$rc" 0
	warns 'on_start failed: T/secret/start exited with 7: the \033key ******* is wrong
on_result failed: cannot run T/secret/missing: exec: No such file or directory'
	lacks "only the last line" "$all" first
	export TWILIGHT_HOOK_LIMIT=1
	printf '#!/bin/sh\necho busy\nexec sleep 600\n' >"$T/secret/start"
	printf '#!/bin/sh\nkill -KILL $$\n' >"$T/secret/missing"
	chmod +x "$T/secret/missing"
	deploy v1.0.1
	is "exit code" "$rc" 0
	warns 'on_start failed: T/secret/start did not end within 1 s: busy
on_result failed: T/secret/missing was ended by SIGKILL'
	runs v1.0.1
	deploy v1.0.9
	is "exit code of a failure stays" "$rc" 1
}

# A signal ends on_start with the deploy; that one has a result.
test_memory_hooks_and_a_signal() {
	needs flock
	memory v1.0.0
	publish v1.0.1
	deploy v1.0.0
	hooks
	cat >"$T/slow" <<-END
		#!/bin/sh
		: >"$T/began"
		exec sleep 600
	END
	chmod +x "$T/slow"
	export TWILIGHT_ON_START="$T/slow"
	begin "deploy v1.0.1"
	await test -e "$T/began"
	kill -TERM "$asked"
	finish
	is "exit code" "$rc" 1
	warns "on_start failed: T/slow was interrupted"
	runs_of_hooks 1
	ran 1 OUTCOME discarded
	runs v1.0.0
}

test_memory_hooks_in_the_settings() {
	memory v1.0.0
	publish v1.0.1
	export TWILIGHT_ON_START="/bin/true $secret" TWILIGHT_ON_RESULT="/no/such/hook $secret"
	net "plan v1.0.1"
	is "exit code" "$rc" 0
	matches "on_start in plan" "$out" '^on_start: +/bin/true$'
	matches "on_result in plan" "$out" '^on_result: +/no/such/hook, which cannot be run$'
	for value in hook ./hook "sh /bin/true"; do
		TWILIGHT_ON_START=$value net "plan v1.0.1"
		is "exit code with $value" "$rc" 4
		has "why" "$err" "TWILIGHT_ON_START=$value: must be the absolute path of a program"
	done
}
