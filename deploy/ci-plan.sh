#!/bin/sh
# ci-plan.sh: derives the targets and the image's tag from the git tag that was pushed,
# and waits until the image exists: another workflow of the same push builds it.
#
# Writes targets (a JSON list), tag and image to $GITHUB_OUTPUT.
set -eu

: "${CI_TRIES:=180}" "${CI_PAUSE:=15}" # 45 minutes: a release builds and tests first
image=ghcr.io/$(printf '%s' "${GITHUB_REPOSITORY_OWNER:?}" | tr '[:upper:]' '[:lower:]')/twilight-demo
case ${GITHUB_REF_NAME:?} in
v[0-9]*) target=production ;;
backend-v[0-9]* | frontend-v[0-9]*)
	target=${GITHUB_REF_NAME%-v*}
	image=$image-$target
	;;
*) echo "::error::no target for the tag $GITHUB_REF_NAME" && exit 1 ;;
esac
tag=v${GITHUB_REF_NAME##*v}

left=$CI_TRIES
until docker manifest inspect "$image:$tag" >/dev/null 2>&1; do
	left=$((left - 1))
	[ "$left" -gt 0 ] || { echo "::error::$image:$tag was not built: see the other workflows of this tag" && exit 1; }
	echo "waiting for $image:$tag"
	sleep "$CI_PAUSE"
done
printf 'targets=["%s"]\ntag=%s\nimage=%s\n' "$target" "$tag" "$image" >>"${GITHUB_OUTPUT:-/dev/null}"
