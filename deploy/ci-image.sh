#!/bin/sh
# ci-image.sh: builds and pushes the demo's image in a CI job that is logged in.
#
#   TAGS       the tags, separated by spaces; default: sha-<7> for a branch; for the git
#              tag backend-v1.2.3 the tag v1.2.3 of the image …-backend
#   GITHUB_*   as the runner sets them
#
# Writes image, digest and ref to $GITHUB_OUTPUT, and a table to the job's summary.
set -eu
cd "$(dirname "$0")/.."

image=ghcr.io/$(printf '%s' "${GITHUB_REPOSITORY_OWNER:?}" | tr '[:upper:]' '[:lower:]')/twilight-demo
commit=${GITHUB_SHA:?}
case ${TAGS:-},${GITHUB_REF_TYPE:-branch},$GITHUB_REF_NAME in
,tag,*-v*)
	image=$image-${GITHUB_REF_NAME%-v*}
	TAGS=v${GITHUB_REF_NAME##*-v}
	;;
,*) TAGS=sha-$(printf '%.7s' "$commit") ;;
esac
set -f
# shellcheck disable=SC2086 # words
set -- $TAGS
for tag; do
	case $tag in
	-* | *[!A-Za-z0-9_.-]*) echo "::error::not a valid image tag: bad character" && exit 1 ;;
	esac
done

make build/service
context=$(mktemp -d)
cp build/service "$context"
docker build -f deploy/Dockerfile -t "$image:$1" \
	--build-arg "VERSION=$1" --build-arg "COMMIT=$commit" \
	--build-arg "BUILD_TIME=$(git show -s --format=%cI HEAD)" "$context"
rm -rf "$context"
for tag; do
	docker tag "$image:$1" "$image:$tag"
	docker push "$image:$tag"
done
digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$image:$1" |
	sed -n "s,^$image@,,p" | head -n 1)
[ -n "$digest" ] || { echo "::error::the registry returned no digest" && exit 1; }

printf 'image=%s\ndigest=%s\nref=%s\n' "$image" "$digest" "$image:$1@$digest" \
	>>"${GITHUB_OUTPUT:-/dev/null}"
# shellcheck disable=SC2016 # markdown
{
	printf '| %s | |\n|---|---|\n' "$image"
	for tag; do printf '| tag | `%s` |\n' "$tag"; done
	printf '| digest | `%s` |\n| commit | `%s` |\n\n' "$digest" "$commit"
} >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
