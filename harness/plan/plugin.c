/* plugin.c - see plugin.h. Supervisor, and a child that does nothing but load the object. */
#include "harness/plan/plugin.h"
#include "registry/strategy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: the loader's line goes through the pipe, silence means that all is well. */
static void child_load(const char *path, int out)
{
    char said[STRATEGY_ERROR_BYTES];
    if (strategy_load(path, said)) {
        _exit(0);
    }
    ssize_t written = write(out, said, strlen(said));
    _exit(written < 0 ? 2 : 1);
}

bool plugin_check(const char *path, char *error, size_t error_bytes)
{
    int ends[2], status = 0;
    size_t length = 0;
    if (pipe(ends) != 0) {
        snprintf(error, error_bytes, "%s: %s", path, strerror(errno));
        return false;
    }
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        child_load(path, ends[1]);
    }
    close(ends[1]);
    while (child > 0 && length + 1 < error_bytes) {
        ssize_t got = read(ends[0], error + length, error_bytes - 1 - length);
        if (got > 0) {
            length += (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            break;
        }
    }
    error[length] = '\0';
    close(ends[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return true;
    }
    if (child < 0) {
        snprintf(error, error_bytes, "%s: %s", path, strerror(errno));
    } else if (WIFSIGNALED(status)) {
        snprintf(error, error_bytes, "%s: loading it ended with signal %d (%s)", path,
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else if (length == 0) {
        snprintf(error, error_bytes, "%s: loading it ended the process with status %d", path,
                 WEXITSTATUS(status));
    }
    return false;
}
