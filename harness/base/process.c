/* process.c - see process.h. */
#include "harness/base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

static const int ignored[] = {SIGPIPE, SIGXFSZ};
#define IGNORED (sizeof ignored / sizeof ignored[0])

static struct sigaction before[IGNORED];
static bool begun;

void process_begin(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            /* The lowest free number is this one. The wrong direction, so that its use fails. */
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
    for (size_t i = 0; i < IGNORED; i++) {
        struct sigaction action = {.sa_handler = SIG_IGN};
        sigaction(ignored[i], &action, &before[i]);
    }
    begun = true;
}

void process_restore(void)
{
    for (size_t i = 0; begun && i < IGNORED; i++) {
        sigaction(ignored[i], &before[i], NULL);
    }
}
