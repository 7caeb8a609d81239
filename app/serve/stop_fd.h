/* SIGTERM and SIGINT as a descriptor to wait on, for processes that run until
 * they are told to stop. */
#ifndef TIDEMARK_SERVE_STOP_FD_H
#define TIDEMARK_SERVE_STOP_FD_H

/* Blocks both signals and returns a descriptor that is readable once one came; -1 when the
 * system has none to give. The caller closes it. */
int stop_fd_open(void);

#endif
