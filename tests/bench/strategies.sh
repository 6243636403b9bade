#!/bin/bash
# strategies.sh PROGRAM SERVICE [PAGE]: what a deploy costs those who use the service, on a real
# engine: each way to deploy, with each kind of release, by turns in one run.  A prober
# (tests/e2e/prober.c) asks the published port every 2 ms meanwhile.
#
# Prints the table.  With PAGE, puts it between the two marks of that page, and beside the page
# a chart (PAGE without .md, with .svg), if gnuplot is installed.  It asserts nothing.
#
#   BENCH_ROUNDS=N    deploys for each cell, of which the median counts (3)
set -euo pipefail

cd "$(dirname "$0")/../.."
program=$(realpath "$1")
service=$(realpath "$2")
page=${3:-}
rounds=${BENCH_ROUNDS:-3}
work=$(mktemp -d /tmp/bench.XXXXXX)
home=$work/home
compose=$home/source/deploy
# shellcheck source=tests/e2e/engine.sh
. tests/e2e/engine.sh
prober=
trap '[ -z "$prober" ] || kill $prober; docker compose -f "$compose/compose.yml" down >/dev/null 2>&1 || :
engine_stop; rm -rf "$work"' EXIT

# -- what is compared: a name, and a function that deploys $1 -------------------------------

# shellcheck disable=SC2016 # the quotes are those of the table
ROWS=(
	'recreate|ours recreate'
	'rehearse|ours rehearse'
	'shell script|plain_script'
	'`pull` and `up -d`|pull_and_up'
	'`up -d --wait`|up_wait'
	'`up -d --wait`, healthcheck|up_wait_checked'
)

# A kind of release, and how its containers behave (mocks/service.c).
COLUMNS=(
	'good|healthy'
	'slow start|delay=3000'
	'never healthy|never'
	'crash loop|crash=300'
)

ours() { TWILIGHT_STRATEGY=$1 counted "$program" --local deploy "$2"; }

plain_script() {
	# compose finds no .env beside its file
	COMPOSE_ENV_FILES=$home/.env SSH_ORIGINAL_COMMAND="deploy $1" counted bash "$PWD/tests/bench/plain-deploy.sh"
}

pull_and_up() { by_compose "$1" 'docker compose pull data && docker compose up -d data'; }

up_wait() { by_compose "$1" 'docker compose pull data && docker compose up -d --wait data'; }

# Docker asks the service every second.  An `up` without the second file would recreate it.
up_wait_checked() {
	COMPOSE_FILE=compose.yml:checked.yml up_wait "$1"
}

by_compose() { # TAG COMMANDS
	counted sh -c "cd '$compose' && export TWILIGHT_VERSION=$1 && $2"
}

# -- the parts ---------------------------------------------------------------------------------

# Runs a deploy; sets code, ms, cpu, kib and docker processes.
counted() {
	: >"$work/calls"
	PATH=$work/bin:$PATH "$work/account" "$work/account.out" "$@" >"$work/log" 2>&1 </dev/null
	read -r code ms cpu kib <"$work/account.out"
	processes=$(wc -l <"$work/calls")
}

build() {
	cc -O2 -D_GNU_SOURCE -o "$work/prober" tests/e2e/prober.c
	cc -O2 -D_GNU_SOURCE -o "$work/account" tests/bench/account.c
	# counts the calls of docker, at some ms each
	mkdir -p "$work/bin" "$compose"
	printf '#!/bin/sh\necho "$*" >>%s\nexec %s "$@"\n' "$work/calls" "$(command -v docker)" \
		>"$work/bin/docker"
	chmod +x "$work/bin/docker"
}

write_compose() {
	cat >"$compose/compose.yml" <<YML
name: bench
services:
  data:
    image: $ENGINE_REGISTRY/bench:\${TWILIGHT_VERSION:?}
    restart: unless-stopped
    stop_grace_period: 5s
    ports: ["127.0.0.1:$port:8080"]
YML
	cat >"$compose/checked.yml" <<YML
services:
  data:
    healthcheck: {test: [CMD, /service, --check], interval: 1s, timeout: 2s, retries: 3}
YML
}

# publish TAG BEHAVIOUR: it is in the registry and on the host, so that a pull only asks.
publish() {
	cp "$service" "$work/service"
	echo "$1" >"$work/about"
	tar -cf - -C "$work" service about | docker import -c "ENV SERVICE_VERSION=$1 SERVICE_BEHAVIOUR=$2
		ENTRYPOINT [\"/service\"]" - "$ENGINE_REGISTRY/bench:$1" >/dev/null
	docker push -q "$ENGINE_REGISTRY/bench:$1" >/dev/null
}

says() { curl -s --max-time 1 "http://127.0.0.1:$port/health/version" | grep -q "\"$1\""; }

runs() { [ "$(docker inspect -f '{{.Config.Image}}' bench-data-1)" = "$ENGINE_REGISTRY/bench:$1" ]; }

# The good release runs, as if somebody had repaired what the last deploy left.
repair() {
	echo TWILIGHT_VERSION=v1.0.0 >"$home/.env"
	(cd "$compose" && TWILIGHT_VERSION=v1.0.0 docker compose up -d) >/dev/null 2>&1
	wait_for 30 says v1.0.0 || refuse "the first release does not serve"
}

# cell ROW COLUMN: one deploy under the prober.  A line: CODE OUTAGE FAILED MS PROCESSES CPU KIB
# STAYS, the last one 1 if the bad release was left running.
cell() {
	local tag=v1.0.$((1 + $2)) row=${ROWS[$1]#*|} stays=0 failed outage
	repair
	[ "$row" != up_wait_checked ] ||
		(cd "$compose" && TWILIGHT_VERSION=v1.0.0 COMPOSE_FILE=compose.yml:checked.yml \
			docker compose up -d --wait) >/dev/null 2>&1
	"$work/prober" "$port" >"$work/probed" &
	prober=$!
	wait_for 10 grep -qs probing "$work/probed"
	$row "$tag"
	# a good release that starts slowly is waited for, as its users wait
	[ "$2" -gt 1 ] || wait_for 30 says "$tag" || :
	kill $prober && wait $prober
	prober=
	read -r _ failed outage _ < <(tail -n 1 "$work/probed")
	[ "$2" -lt 2 ] || ! runs "$tag" || stays=1
	echo "$code $outage $failed $ms $processes $cpu $kib $stays" >>"$work/cell.$1.$2"
}

# -- the report ----------------------------------------------------------------------------------

# of CELL FIELD: the median
of() { cut -d' ' -f"$2" "$work/cell.$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

seconds() { awk -v ms="$1" 'BEGIN { printf "%.1f s", ms / 1000 }'; }

outage() { # CELL
	if [ "$(of "$1" 8)" = 1 ]; then
		echo "until repaired"
	elif [ "$(of "$1" 3)" = 0 ]; then
		echo none
	else
		echo "$(of "$1" 2) ms"
	fi
}

# table TITLE FUNCTION: a row for each way, a column for each kind of release
table() {
	local r c
	printf '\n%s\n\n|' "$1"
	printf ' | %s' "${COLUMNS[@]%%|*}"
	printf ' |\n|---'
	printf '|---%.0s' "${COLUMNS[@]}"
	printf '|\n'
	for r in "${!ROWS[@]}"; do
		printf '| %s' "${ROWS[r]%%|*}"
		for c in "${!COLUMNS[@]}"; do printf ' | %s' "$($2 "$r.$c")"; done
		printf ' |\n'
	done
}

failed() { of "$1" 3; }
total() { echo "$(seconds "$(of "$1" 4)"), exit $(of "$1" 1)"; }
cost() { echo "$(of "$1" 5), $(of "$1" 6) ms, $(($(of "$1" 7) / 1024)) MiB"; }

report() {
	echo "$(docker version -f 'Docker {{.Server.Version}}'), compose $(docker compose version --short)," \
		"$(nproc) processors, load $load at the start and $(cut -d' ' -f1 /proc/loadavg) at the end;" \
		"the median of $rounds deploys."
	table 'Outage, the time between two good answers with a failed request between them:' outage
	table 'Failed requests; one after another, at most 500 a second, each for at most two seconds:' failed
	table 'Time until the command ended, and its exit code:' total
	table 'Docker processes, processor time of the command and its children, and the largest of them:' cost
}

# Where the release stays, the bar ends with the command.
chart() { # FILE
	local r c
	for r in "${!ROWS[@]}"; do
		printf '"%s"' "$(tr -d '\140' <<<"${ROWS[r]%%|*}")"
		for c in "${!COLUMNS[@]}"; do awk -v ms="$(of "$r.$c" 2)" 'BEGIN { printf " %.2f", ms / 1000 }'; done
		echo
	done >"$work/chart"
	{
		cat <<-GNUPLOT
			set terminal svg size 900,420 font "sans-serif,12" background "white"
			set output "$1"
			set title "Outage seen by a client (s); of a release that stays, until the command ended"
			set style data histogram
			set style histogram clustered gap 1
			set style fill solid 0.8
			set boxwidth 0.9
			set yrange [0:*]
			set grid ytics
			set key outside top center horizontal
			set xtics rotate by -15
		GNUPLOT
		printf 'plot '
		for c in "${!COLUMNS[@]}"; do
			printf '"%s" using %d:xtic(1) title "%s", ' "$work/chart" $((c + 2)) "${COLUMNS[c]%%|*}"
		done
		echo
	} | sed 's/, $//' | gnuplot
	sed -i 's/[[:blank:]]*$//' "$1"
}

put_into_page() {
	if command -v gnuplot >/dev/null; then
		chart "${page%.md}.svg"
		printf '\n![Outage by way to deploy and kind of release](%s)\n' \
			"$(basename "${page%.md}.svg")" >>"$work/report"
	fi
	awk -v report="$work/report" '
		/^<!-- bench-engine -->/ { print; print ""; while ((getline line <report) > 0) print line; print ""; skip = 1 }
		/^<!-- end of bench-engine -->/ { skip = 0 }
		!skip || /^<!-- end/ { if (!/^<!-- bench-engine -->/) print }' "$page" >"$work/page"
	cat "$work/page" >"$page"
}

load=$(cut -d' ' -f1 /proc/loadavg)
build
engine_start "$work/engine"
free_port
# shellcheck disable=SC2031,SC2153 # set by free_port
port=$FREE_PORT
write_compose
publish v1.0.0 healthy
for c in "${!COLUMNS[@]}"; do publish "v1.0.$((1 + c))" "${COLUMNS[c]#*|}"; done
export TWILIGHT_HOME=$home TWILIGHT_DISK_MIN=1M TWILIGHT_LOCK=$work/lock
export TWILIGHT_HEALTH_URL=http://127.0.0.1:$port/healthz
export TWILIGHT_HEALTH_TRIES=5 TWILIGHT_HEALTH_SLEEP=2
for _ in $(seq "$rounds"); do
	for c in "${!COLUMNS[@]}"; do
		for r in "${!ROWS[@]}"; do cell "$r" "$c"; done
	done
done
report | tee "$work/report"
[ -z "$page" ] || put_into_page
