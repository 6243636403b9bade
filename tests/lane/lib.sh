# lib.sh: functions for the lane's cases, in addition to tests/shell/lib.sh.  Sourced by run.sh.
#
#   ci [NAME=VALUE…]   runs deploy/ci-deploy.sh as action.yml's step does, in the environment
#                      of a step, through the stand-in for the tunnel; sets $rc, $all,
#                      $outside (lines that the runner would execute), $outputs and $summary
#   plain NAME=VALUE…  the same over plain ssh
#   through WORD…      the fate of each connection of the tunnel (proxy.sh)
#   host NAME=VALUE…   the host runs the real program, with these settings too
#   liar               the host runs a script (stdin) instead
# shellcheck shell=sh disable=SC2154,SC2034

key_of() { cat "$SSHD_DIR/$1"; }

name=deploy.test
cf_id=0f1e2d3c4b5a.access
cf_secret=5ecre7f00d5ecre7f00d

lane_setup() {
	mkdir "$T/runner"
	printf '%s %s\n' $name "$(cut -d' ' -f1,2 "$SSHD_DIR/host.pub")" >"$T/known_hosts"
	cat "$SSHD_DIR/known_hosts" >>"$T/known_hosts"
	cut_at='compose up'
	through carry
	host
}

through() { printf '%s\n' "$@" >"$T/plan"; }

# The settings in this environment go into the key's line.
host() {
	while read -r setting; do
		set -- "$@" "$setting"
	done <<-END
		$(env | grep -E '^(TWILIGHT_|MOCK_|DOCKER_HOST=)')
	END
	sshd_keys "$PROGRAM" "PATH=$PATH" "$@"
}

liar() {
	{ echo '#!/bin/sh' && cat; } >"$T/liar"
	chmod +x "$T/liar"
	sshd_keys "$T/liar"
}

# step COMMAND…: runs it in the environment of a step; the last of equal names wins.
step() {
	env -i PATH="$real_path" HOME="$T" RUNNER_TEMP="$T/runner" \
		GITHUB_OUTPUT="$T/outputs" GITHUB_STEP_SUMMARY="$T/summary" \
		DEPLOY_USER="$(id -un)" DEPLOY_HOST=$name TRANSPORT=cloudflared \
		DEPLOY_KNOWN_HOSTS="$(cat "$T/known_hosts")" DEPLOY_KEY="$(key_of ci)" \
		ACCESS_CLIENT_ID=$cf_id ACCESS_CLIENT_SECRET=$cf_secret \
		CI_PROXY="$here/proxy.sh $SSHD_PORT $T/plan $log '$cut_at'" \
		CI_TRIES=2 CI_PAUSE=0 CI_CONNECT_TIMEOUT="${connect:-20}" "$@"
}

ci() {
	: >"$T/outputs"
	: >"$T/summary"
	step "$@" timeout -k 5 120 "$REPO/deploy/ci-deploy.sh" >"$T/ci" 2>&1 </dev/null
	rc=$?
	seen
}

plain() {
	ci TRANSPORT='' DEPLOY_HOST=127.0.0.1 DEPLOY_PORT="$SSHD_PORT" ACCESS_CLIENT_ID='' \
		ACCESS_CLIENT_SECRET='' "$@"
	is "the tunnel was not used" "$(cat "$T/plan.token" 2>/dev/null)" ""
}

# seen: reads the step's output, and separates what the runner would read as commands.
seen() {
	all=$(cat "$T/ci")
	outputs=$(cat "$T/outputs")
	summary=$(cat "$T/summary")
	outside=$(tr '\r' '\n' <"$T/ci" | awk '
		fenced { if ($0 == "::" fenced "::") fenced = ""; next }
		/^[ \t]*::stop-commands::/ { sub(/^[ \t]*::stop-commands::/, ""); fenced = $0; next }
		{ print }
		END { if (fenced) print "NEVER CLOSED" }')
	lacks "the fence is closed" "$outside" "NEVER CLOSED"
	is "no file is left" "$(ls "$T/runner")" ""
	for s in "$(key_of ci | sed -n 3p)" $cf_id $cf_secret; do
		lacks "no secret is printed" "$all$outputs$summary" "$s"
	done
	is "the key is in no environment" "$(sort -u "$T/plan.keys" 2>/dev/null | grep -v '^0')" ""
}

# says LEVEL PART: there is one annotation; it has that level and contains PART.
says() {
	is "one annotation" "$(printf '%s\n' "$outside" | grep -cE '^::(error|warning|notice)')" 1
	matches "its level" "$outside" "^::$1 title="
	has "it says" "$(printf '%s\n' "$outside" | grep '^::')" "$2"
}

output_is() { # NAME VALUE
	matches "output $1" "$outputs" "^$1=$2\$"
}

connections() { grep -c . "$T/plan.token"; }

lane_finale() {
	is "the tunnel had its token each time" \
		"$(sort -u "$T/plan.token" 2>/dev/null | grep -vx "$cf_id $cf_secret")" ""
}
