/*
 * releases.h: short forms of releases: "v1" is a tag, "v1=A" a tag and a revision, "=A"
 * has no tag, "v1:web=A,worker=B" has two services, "-" is empty.
 */
#ifndef UNIT_RELEASES_H
#define UNIT_RELEASES_H

#include "state/release.h"

struct release release_of(const char *text);

#endif
