/* cache_source.c - see cache.h: a shell command whose output is a value. Supervisor only. */
#include "harness/base/monotonic.h"
#include "harness/base/process.h"
#include "harness/cli/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE 65536

static pid_t command_start(const struct cache_source *source, const char *key, int *out)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        process_restore();
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)setpgid(0, 0); /* what it starts ends with it */
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)setenv("TIDEMARK_CACHE_KEY", key, 1);
        execl("/bin/sh", "sh", "-c", source->command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *out = ends[0];
    if (pid < 0) {
        close(ends[0]);
    }
    return pid;
}

/* What it prints until it closes its output; NULL, or why that is no value. */
static const char *output_take(struct cache_source *source, int out)
{
    uint64_t begun = monotonic_ns();
    char *piece = malloc(PIECE);
    const char *why = piece ? NULL : "no memory";
    while (!why) {
        uint64_t spent = monotonic_ns() - begun;
        struct pollfd ready = {.fd = out, .events = POLLIN};
        if (spent >= source->timeout_ns) {
            why = "takes too long";
            break;
        }
        int got = poll(&ready, 1, (int)((source->timeout_ns - spent) / 1000000 % 60000 + 1));
        if (got < 0 && errno != EINTR) {
            why = strerror(errno);
        }
        if (got <= 0) {
            continue;
        }
        ssize_t bytes = read(out, piece, PIECE);
        if (bytes <= 0) {
            break;
        }
        if (source->value.length + (size_t)bytes > source->bytes_max) {
            why = "prints more than a value may have";
            break;
        }
        text_put_bytes(&source->value, piece, (size_t)bytes);
    }
    free(piece);
    return why;
}

bool cache_source_load(void *context, const char *key, size_t key_bytes, const void **data,
                       size_t *bytes)
{
    struct cache_source *source = context;
    struct text name = {0};
    int out, status = 0;
    text_reset(&source->value);
    text_put_bytes(&name, key, key_bytes);
    pid_t pid = command_start(source, text_peek(&name), &out);
    text_fini(&name);
    if (pid < 0) {
        fprintf(stderr, "tidemark cache: the source cannot be started: %s\n", strerror(errno));
        return false;
    }
    const char *why = output_take(source, out);
    close(out);
    if (why) {
        kill(-pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!why && source->value.length == 0) {
        why = "prints nothing";
    }
    if (!why && WIFSIGNALED(status)) {
        why = "was ended by a signal";
    }
    if (why) {
        fprintf(stderr, "tidemark cache: the source %s\n", why);
    } else if (WEXITSTATUS(status) != 0) {
        fprintf(stderr, "tidemark cache: the source ended with status %d\n", WEXITSTATUS(status));
    }
    *data = text_peek(&source->value);
    *bytes = source->value.length;
    return !why && WEXITSTATUS(status) == 0;
}
