#!/bin/bash
# proxy.sh PORT PLAN [FILE WORDS]: stands in for `cloudflared access ssh`, as ssh's
# ProxyCommand.  PLAN is a file with one word a line, one for each connection; the last word
# is used again:
#
#   carry     forwards to 127.0.0.1:PORT
#   cut       like carry, until FILE has a line with WORDS; then the connection ends
#   leave     like carry, and a process that holds the output stays behind
#   refuse    fails as cloudflared does when Access refuses the service token
#   down      fails as cloudflared does when the tunnel does not answer
#   hang      does nothing, as an interactive login without an answer
#
# The token in its environment is written to PLAN.token.
set -u
port=$1 plan=$2 file=${3-} words=${4-}
read -r how <"$plan"
[ "$(wc -l <"$plan")" -le 1 ] || sed -i 1d "$plan"
printf '%s %s\n' "${TUNNEL_SERVICE_TOKEN_ID-}" "${TUNNEL_SERVICE_TOKEN_SECRET-}" >>"$plan.token"
env | grep -c 'PRIVATE KEY' >>"$plan.keys"

case $how in
refuse)
	echo 'failed to find Access application at https://deploy.example.org' >&2
	exit 1
	;;
down)
	echo 'failed to connect to origin error="websocket: bad handshake"' >&2
	exit 1
	;;
hang) exec sleep 600 ;;
esac

if [ "$how" = leave ]; then
	sleep 600 &
	echo $! >>"$plan.left"
fi
# a background job's stdin is /dev/null: use descriptor 4
exec 3<>"/dev/tcp/127.0.0.1/$port" 4<&0 || exit 1
cat <&3 &
down=$!
cat <&4 >&3 2>/dev/null &
up=$!
exec 4<&-
if [ "$how" = cut ]; then
	(
		until grep -q -- "$words" "$file"; do sleep 0.05; done
		kill $down
	) >/dev/null 2>&1 </dev/null 3>&- &
fi
wait $down
kill $up 2>/dev/null
