/*
 * releases.h: releases in short: "v1" is a tag, "v1=A" has a revision too, "=A" no
 * tag, "v1:web=A,worker=B" has two services, and "-" is nothing.
 */
#ifndef UNIT_RELEASES_H
#define UNIT_RELEASES_H

#include "state/release.h"

struct release release_of(const char *text);

#endif
