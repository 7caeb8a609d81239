/* Makes the descriptor of stop_fd.h. Called by the processes of cmd_serve, cmd_worker and
 * seed_post. */
#include "serve/stop_fd.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>

int stop_fd_open(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0) {
        return -1;
    }
    return signalfd(-1, &signals, SFD_CLOEXEC);
}
