/*
 * cli.h: one request, from argv and SSH_ORIGINAL_COMMAND to an exit status.
 * The only place where a fault becomes one.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/* `env` is what was the process's environment. */
int cli_main(int argc, char **argv, char *const *env);

#endif
