# rollback.sh: back to what ran, by image and not only by name; over the fake engine.
# shellcheck shell=sh disable=SC2154,SC2034,SC2016

test_memory_deploy() {
	memory v1.0.0
	publish v1.0.1
	deploy v1.0.1
	is "exit code" "$rc" 0
	runs v1.0.1
	has "rollback target" "$all" "rollback target: v1.0.0"
	matches "the old image has a second name" "$(cat "$engine/images")" \
		"^twilight-deploy/[^ ]*:[0-9a-f]{64} $(image_of v1.0.0)\$"
}

test_memory_new_is_bad() {
	memory v1.0.0
	publish v1.0.1 never
	deploy v1.0.1
	is "exit code" "$rc" 1
	has "message" "$all" "HEALTH FAILED -- rolling back to v1.0.0"
	is "two up" "$(calls 'compose up -d data')" 2
	runs v1.0.0
}

test_memory_both_are_bad() {
	memory v1.0.0
	publish v1.0.1 never
	becomes v1.0.0 never
	deploy v1.0.1
	is "exit code" "$rc" 5
	is ".env" "$(version)" v1.0.0
}

test_memory_not_in_the_registry() {
	memory v1.0.0
	inode=$(stat -c %i "$env")
	deploy v9.9.9
	is "exit code" "$rc" 1
	has "docker's words" "$all" "manifest unknown"
	is "no up" "$(calls 'compose up')" 0
	is ".env was not even replaced" "$(stat -c %i "$env")" "$inode"
	runs v1.0.0
}

test_memory_same_again() {
	memory v1.0.0
	before=$(cat "$engine/containers")
	deploy v1.0.0
	is "exit code" "$rc" 0
	is "the container was left alone" "$(cat "$engine/containers")" "$before"
}

# latest to latest: only the image tells them apart.
test_memory_mutable_tag() {
	memory latest
	publish latest never second
	deploy latest
	is "exit code" "$rc" 1
	runs latest
	is "the name means the old image" "$(grep "^$repository:latest " "$engine/images")" \
		"$repository:latest $(image_of latest)"
}

test_memory_mutable_tag_pull_fails() {
	memory latest
	publish latest healthy second
	fault '* fail docker compose pull'
	deploy latest
	is "exit code" "$rc" 1
	runs latest
}

# The name was moved by the pull, then something else failed: it goes back.
test_memory_name_goes_back() {
	memory latest
	publish latest healthy second
	fault '1 fail docker compose up'
	deploy latest
	is "exit code" "$rc" 1
	has "the name" "$(cat "$engine/images")" "$repository:latest $(image_of latest)"
	is "the old image runs" "$(serving)" "$repository:latest $(image_of latest) running"
}

# A success makes the previous image nameless; the prune must not get it.
test_memory_previous_survives_the_prune() {
	memory latest
	publish latest healthy second
	deploy latest
	is "exit code" "$rc" 0
	has "pruned" "$(cat "$log")" "docker image prune"
	on_host "$(image_of latest)" || wrong "the previous image" "on the host" "$(cat "$engine/images")"
	op rollback
	is "exit code of the rollback" "$rc" 0
	is "the previous image runs" "$(serving | cut -d' ' -f2,3)" "$(image_of latest) running"
}

test_memory_keep() {
	memory v1.0.0
	printf 'other/repository:v1 %s\n' "$(image_of other)" >>"$engine/images"
	export TWILIGHT_KEEP=2
	for tag in v1.0.1 v1.0.2 v1.0.3 v1.0.4 v1.0.5; do
		publish $tag
		deploy $tag
		is "exit code of $tag" "$rc" 0
	done
	runs v1.0.5
	on_host "$(image_of v1.0.4)" || wrong "the previous" "on the host" "$(cat "$engine/images")"
	on_host "$(image_of other)" || wrong "another repository's" "on the host" "$(cat "$engine/images")"
	on_host "$(image_of v1.0.0)" && wrong "one of long ago" "gone" "$(cat "$engine/images")"
	below "images of ours" "$(grep -c "^$repository:" "$engine/images")" 5
}

test_memory_up_fails() {
	memory v1.0.0
	publish v1.0.1
	fault '1 fail docker compose up'
	deploy v1.0.1
	is "exit code" "$rc" 1
	runs v1.0.0
}

# What a killed `up` leaves: nothing serves, and a stray container is in the way.
test_memory_up_stops_half_way() {
	memory v1.0.0
	publish v1.0.1
	fault '1 half docker compose up'
	deploy v1.0.1
	is "exit code" "$rc" 1
	runs v1.0.0
}

# The old container was never touched.  Where the gate looks at it that is 1, else 5.
test_memory_up_fails_every_time() {
	memory v1.0.0
	publish v1.0.1
	fault '* fail docker compose up'
	deploy v1.0.1
	matches "exit code" "$rc" '^(1|5)$'
	runs v1.0.0
}

# .env was edited by hand since: what ran is what it goes back to.
test_memory_drift() {
	memory v1.0.0
	edit_env v0.9.9
	publish v1.0.1 never
	net status
	is "exit code of status" "$rc" 0
	has "status names what runs" "$all" v1.0.0
	has "and what .env says" "$all" v0.9.9
	deploy v1.0.1
	is "exit code" "$rc" 1
	has "it is said" "$all" v0.9.9
	is "what ran runs" "$(serving)" "$repository:v1.0.0 $(image_of v1.0.0) running"
}

# --- the first deploy -----------------------------------------------------------

test_memory_first_deploy() {
	empty_memory
	publish v1.0.1
	deploy v1.0.1
	is "exit code" "$rc" 0
	runs v1.0.1
}

test_memory_first_deploy_is_bad() {
	empty_memory
	publish v1.0.1 never
	deploy v1.0.1
	is "exit code" "$rc" 1
	has "it says so" "$all" "nothing ran before either"
	is "the failed one is removed" "$(serving)" ""
	is ".env" "$(version)" "$old"
}

test_memory_first_deploy_fails_in_the_pull() {
	empty_memory
	deploy v9.9.9
	is "exit code" "$rc" 1
	is ".env" "$(version)" "$old"
	is "nothing runs" "$(serving)" ""
}

# The image of the value in .env is here, though nothing ran: that is tried.
test_memory_first_deploy_old_image_is_here() {
	memory v1.0.0
	empty_host
	publish v1.0.1 never
	deploy v1.0.1
	is "exit code" "$rc" 1
	has "it says so" "$all" "nothing ran before either"
	is "the failed one is removed" "$(serving)" ""
	is ".env" "$(version)" v1.0.0
}

# --- the verb -------------------------------------------------------------------

# Another project on the same engine runs what was pulled from the same repository:
# the name that its container was made from stays, others go.  Docker itself would
# refuse only the last name of what is used.
test_memory_prune_spares_other_projects() {
	memory v1.0.0
	export TWILIGHT_KEEP=1
	printf 'feed other-web-1 %s %s running healthy 2026-01-01T00:00:00.000000000Z 0\n' \
		"$(image_of v0.9.0)" "$repository:v0.9.0" >>"$engine/containers"
	printf '%s %s\n' "$repository:v0.9.0" "$(image_of v0.9.0)" \
		other/web:v0.9.0 "$(image_of v0.9.0)" \
		"$repository:v0.9.1" "$(image_of v0.9.1)" >>"$engine/images"
	publish v1.0.1
	deploy v1.0.1
	is "exit code" "$rc" 0
	has "theirs" "$(cat "$engine/images")" "$repository:v0.9.0 "
	lacks "nobody's" "$(cat "$engine/images")" "$repository:v0.9.1 "
	has "the previous" "$(cat "$engine/images")" "$repository:v1.0.0 "
}

three_versions() {
	memory v1.0.0
	for tag in v1.0.1 v1.0.2; do
		publish $tag
		deploy $tag
		is "exit code of $tag" "$rc" 0
	done
	: >"$log"
}

test_memory_rollback_twice() {
	three_versions
	op rollback
	is "the first" "$rc" 0
	runs v1.0.1
	op rollback
	is "the second" "$rc" 0
	runs v1.0.0
	op rollback
	is "there is no third" "$rc" 2
	has "message" "$all" "no known-good version to roll back to"
	runs v1.0.0
	is "no registry is needed" "$(calls 'compose pull')" 0
}

test_memory_rollback_to_a_tag() {
	three_versions
	op rollback v1.0.0
	is "exit code" "$rc" 0
	runs v1.0.0
}

# Named by a person, one that was rolled back from may be refused, but not untruly:
# it was healthy here, and its image is.
test_memory_rollback_to_what_was_left() {
	three_versions
	op rollback
	is "back" "$rc" 0
	op rollback v1.0.2
	matches "exit code" "$rc" '^(0|2)$'
	lacks "what it says" "$all" "never healthy here"
	if [ "$rc" = 0 ]; then runs v1.0.2; else runs v1.0.1; fi
}

test_memory_rollback_to_an_unproven_tag() {
	three_versions
	publish v1.0.3
	silently pull v1.0.3
	op rollback v1.0.3
	is "exit code" "$rc" 2
	op rollback 'v1;id'
	is "not even a tag" "$rc" 2
	has "message" "$all" "invalid tag: "
	runs v1.0.2
}

test_memory_rollback_is_gated() {
	three_versions
	becomes v1.0.1 never
	op rollback
	is "exit code: the current one serves still" "$rc" 1
	runs v1.0.2
}

# One that failed was never proven: it is passed over.
test_memory_rollback_passes_over_a_failure() {
	three_versions
	publish v1.0.3 never
	deploy v1.0.3
	is "exit code of the bad one" "$rc" 1
	op rollback
	is "exit code" "$rc" 0
	runs v1.0.1
}

# Its image is gone: the next proven one that is here.
test_memory_rollback_needs_the_image() {
	three_versions
	sed "/ $(image_of v1.0.1)\$/d" "$engine/images" >"$engine/images.new"
	mv "$engine/images.new" "$engine/images"
	op rollback
	is "exit code" "$rc" 0
	runs v1.0.0
}

test_memory_rollback_first() {
	memory v1.0.0
	op rollback
	is "exit code" "$rc" 2
	has "message" "$all" "no known-good version to roll back to"
	runs v1.0.0
}
