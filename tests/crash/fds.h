/*
 * fds.h: checks descriptors: the program's at its end, and those that docker inherits.
 */
#ifndef CRASH_FDS_H
#define CRASH_FDS_H

#include "world.h"

void fds_program(struct world *); /* from the trace of its last run */
void fds_docker(struct world *, const struct scenario *); /* runs it again */

#endif
