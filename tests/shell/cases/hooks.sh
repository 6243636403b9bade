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

# The newest record.  `bad` is a verdict of today, which a record does not have.
newest() {
	net "history 1 --json"
	printf '%s\n' "$out" | jq -c 'del(.bad)'
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

# What runs by itself asks again and again for a release that failed: nobody is told.
test_memory_hooks_of_a_bad_release() {
	needs flock
	memory v1.0.0
	publish v1.0.1 never
	publish v1.0.2
	deploy v1.0.0
	deploy v1.0.1
	hooks
	for trigger in poll boot; do
		deploy v1.0.1 --trigger $trigger
		is "exit code" "$rc" 2
	done
	runs_of_hooks 0
	has "the refusal is no record" "$(newest)" '"outcome":"rolled back"'
	lacks "the state folder" "$(ls "$state")" journal
	deploy v1.0.2 --trigger poll
	runs_of_hooks 2
	ran 1 OUTCOME started TAG v1.0.2
	has "the image is there" "$(cat "$T/hooks/1.calls")" "compose pull"
	ran 2 OUTCOME deployed
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

# slow_start REQUEST: begins it, and waits until its on_start runs, which does not end.
slow_start() {
	cat >"$T/slow" <<-END
		#!/bin/sh
		echo \$\$ >"$T/began.new"
		mv "$T/began.new" "$T/began"
		exec sleep 600
	END
	chmod +x "$T/slow"
	rm -f "$T/began"
	export TWILIGHT_ON_START="$T/slow"
	begin "$1"
	await test -e "$T/began"
}

hook_ended() {
	! still_hangs "$(cat "$T/began")"
}

# A kill during on_start: the deploy is recovered and has a result, and the hook ends.
test_memory_hooks_and_a_kill() {
	needs flock
	memory v1.0.0
	publish v1.0.1
	deploy v1.0.0
	hooks
	slow_start "deploy v1.0.1"
	kill -KILL "$asked"
	finish
	rm "$T/codes"
	await hook_ended || wrong "the hook" ended "it runs"
	net recover --allow all
	is "exit code" "$rc" 1
	runs_of_hooks 1
	ran 1 OUTCOME discarded TAG v1.0.1
	runs v1.0.0
}

# A signal ends on_start with the deploy; that one has a result.
test_memory_hooks_and_a_signal() {
	needs flock
	memory v1.0.0
	publish v1.0.1
	deploy v1.0.0
	hooks
	slow_start "deploy v1.0.1"
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
	TWILIGHT_ON_START="/bin/true	$secret" TWILIGHT_ON_RESULT=/bin net "plan v1.0.1"
	matches "a tab ends the program" "$out" '^on_start: +/bin/true$'
	matches "a folder is no program" "$out" '^on_result: +/bin, which cannot be run$'
	for value in hook ./hook "sh /bin/true"; do
		TWILIGHT_ON_START=$value net "plan v1.0.1"
		is "exit code with $value" "$rc" 4
		has "why" "$err" "TWILIGHT_ON_START=$value: must be the absolute path of a program"
	done
}

# --- deploy/hooks: real curl against a server that keeps what it receives ------------------

# receiver http|smtp [CERTIFICATE]: starts it; $at is its port, $received what it got.  The
# folder may have secrets; whatever else does, in arguments and output too, fails the case.
receiver() {
	needs python3
	needs jq
	mkdir "$T/secret" "$T/bin"
	received=$T/secret/received
	: >"$received"
	python3 "$REPO/tests/shell/receiver.py" "$1" "$T/secret" ${2:+"$2"} 2>"$T/receiver.log" &
	receiver_pid=$!
	await test -s "$T/secret/port" || wrong "the receiver" "a port" "$(cat "$T/receiver.log")"
	read -r at <"$T/secret/port"
	for tool in curl jq; do
		printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s\nexec %s "$@"\n' "$T/arguments" \
			"$(command -v $tool)" >"$T/bin/$tool"
		chmod +x "$T/bin/$tool"
	done
	export PATH="$T/bin:$PATH"
}

# got FILTER: that of each thing received; what was received is forgotten.
got() {
	jq -r "$1" "$received"
	: >"$received"
}

test_memory_hook_for_github() {
	memory v1.0.0
	publish sha-abc1234
	publish v1.0.2 never
	deploy v1.0.0
	receiver http
	echo "token-$secret" >"$T/secret/token"
	TWILIGHT_ON_START="$REPO/deploy/hooks/github-status me/app $T/secret/token http://127.0.0.1:$at"
	export TWILIGHT_ON_START TWILIGHT_ON_RESULT="$TWILIGHT_ON_START"
	deploy sha-abc1234
	is "exit code" "$rc" 0
	warns ""
	is "credentials" "$(jq -r .authorization "$received" | sort -u)" "Bearer token-$secret"
	is "type" "$(jq -r .type "$received" | sort -u)" application/json
	is "requests" "$(got '"\(.method) \(.path)\(.body)"')" \
		'GET /repos/me/app/commits/abc1234
POST /repos/me/app/statuses/5ha0f7heabc1234{"state":"pending","context":"deploy/default","description":"started"}
GET /repos/me/app/commits/abc1234
POST /repos/me/app/statuses/5ha0f7heabc1234{"state":"success","context":"deploy/default","description":"deployed"}'
	deploy v1.0.2
	is "exit code of a failure" "$rc" 1
	warns ""
	is "states" "$(got 'select(.body != "").body | fromjson |
		"\(.state) \(.description | length <= 140) \(.description[:14])"')" "pending true started
failure true not deployed: "
	echo 422 >"$T/secret/status"
	deploy sha-abc1234
	is "exit code without a commit" "$rc" 0
	has "why" "$err" "commit abc1234 of me/app: curl: (22) The requested URL returned error: 422"
	has "arguments are looked at" "$(cat "$T/arguments")" /repos/me/app/
}

test_memory_hook_for_slack() {
	memory v1.0.0
	publish v1.0.1
	publish v1.0.2 never
	receiver http
	echo "http://127.0.0.1:$at/services/$secret" >"$T/secret/url"
	export TWILIGHT_ON_RESULT="$REPO/deploy/hooks/slack $T/secret/url"
	deploy v1.0.1 --actor 'a<b>&c'
	is "exit code" "$rc" 0
	warns ""
	is "messages: none of an adoption" "$(got '"\(.path) \(.type) \(.body | fromjson | .text)"')" \
		"/services/$secret application/json :white_check_mark: deploy v1.0.1 on default by a&lt;b&gt;&amp;c: deployed"
	deploy v1.0.2 --actor me
	matches "message of a failure" "$(got '.body | fromjson | .text')" \
		'^:x: deploy v1.0.2 on default by me: rolled back \(not deployed: .*answered 503'
	echo 500 >"$T/secret/status"
	deploy v1.0.0
	is "exit code without Slack" "$rc" 0
	has "why" "$err" "hooks/slack exited with 22: curl: (22) The requested URL returned error: 500"
	has "arguments are looked at" "$(cat "$T/arguments")" /dev/fd/3
}

test_memory_hook_for_mail() {
	memory v1.0.0
	publish v1.0.1
	publish v1.0.2 never
	receiver smtp
	TWILIGHT_ON_START="$REPO/deploy/hooks/mail me@example.org team@example.org smtp://127.0.0.1:$at"
	export TWILIGHT_ON_START TWILIGHT_ON_RESULT="$TWILIGHT_ON_START"
	deploy v1.0.1
	warns ""
	is "a success is not mailed" "$(cat "$received")" ""
	deploy v1.0.2
	warns ""
	is "envelope" "$(jq -r '.mail, .rcpt' "$received")" "<me@example.org>
<team@example.org>"
	is "lines end in CR LF" "$(jq '[.data | splits("\n")][:-1] | all(endswith("\r"))' "$received")" true
	mail=$(got .data | tr -d '\r')
	has "head" "$mail" "Subject: deploy v1.0.2 on default: rolled back"
	matches "date" "$mail" '^Date: [A-Z][a-z][a-z], [0-9]'
	has "body" "$mail" "

not deployed: "
	has "the record" "$mail" '"outcome": "rolled back"'
	export TWILIGHT_ON_RESULT="$REPO/deploy/hooks/mail -a ${TWILIGHT_ON_START#* }"
	deploy v1.0.0
	has "a success with -a" "$(got .data)" "Subject: deploy v1.0.0 on default: deployed"
}

# Only over TLS, and not with a certificate that nobody knows.
test_memory_hook_for_mail_logs_in() {
	needs openssl
	memory v1.0.0
	publish v1.0.1
	deploy v1.0.0
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -out "$T/pem" -keyout "$T/key" 2>/dev/null
	cat "$T/key" >>"$T/pem"
	receiver smtp "$T/pem"
	echo "machine localhost login me password $secret" >"$T/secret/netrc"
	export TWILIGHT_ON_RESULT="$REPO/deploy/hooks/mail -a a@b.c d@e.f smtp://localhost:$at $T/secret/netrc"
	deploy v1.0.1
	is "exit code" "$rc" 0
	has "an unknown certificate" "$err" "on_result failed"
	is "mails" "$(cat "$received")" ""
	export CURL_CA_BUNDLE="$T/pem" TWILIGHT_KEEP_ENV=CURL_CA_BUNDLE
	deploy v1.0.0
	warns ""
	is "mails" "$(got '"\(.tls) \(.login)"')" "true [\"me\",\"$secret\"]"
}
