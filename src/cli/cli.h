/*
 * cli.h: runs one request, from argv and SSH_ORIGINAL_COMMAND to the exit status.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/* `env` is the environment that main() has taken from libc.  Returns the exit status. */
int cli_main(int argc, char **argv, char *const *env);

#endif
