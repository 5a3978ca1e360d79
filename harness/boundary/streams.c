/* streams.c - see streams.h. */
#include "harness/boundary/streams.h"

#include "harness/ledger/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STREAMS = 3, KEPT_FROM = 100 /* descriptors that few programs count on */ };

static struct {
    bool kept;
    int copies[STREAMS]; /* -1: it was closed at first */
} streams = {.copies = {-1, -1, -1}};

void streams_keep(void)
{
    int saved = errno;
    for (int fd = 0; fd < STREAMS && !streams.kept; fd++) {
        streams.copies[fd] = fcntl(fd, F_DUPFD_CLOEXEC, KEPT_FROM);
    }
    streams.kept = true;
    errno = saved;
}

static bool is_same_file(int one, int other)
{
    struct stat a, b;
    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* The descriptor is closed when it is called, so that the file which freopen opens gets its number.
 */
static void stream_open_again(FILE *stream, int fd)
{
    /* cppcheck-suppress leakReturnValNotUsed ; it is the stream */
    if (freopen("/dev/null", fd == STDIN_FILENO ? "r" : "w", stream) == NULL) {
        return;
    }
    if (fd == STDERR_FILENO) {
        setvbuf(stream, NULL, _IONBF, 0);
    }
}

static void stream_put_back(FILE *stream, int fd)
{
    int copy = streams.copies[fd];
    bool stream_is_open = fileno_unlocked(stream) == fd;
    bool is_lost = copy < 0 || fcntl(copy, F_GETFD) == -1; /* the test closed our copy as well */
    if (is_lost || (stream_is_open && is_same_file(fd, copy))) {
        return;
    }
    descriptor_closing(fd); /* whoever pointed it elsewhere keeps nothing there any more */
    if (stream_is_open) {
        __fpurge(stream);
    } else {
        syscall(SYS_close, fd);
        stream_open_again(stream, fd);
    }
    syscall(SYS_dup3, copy, fd, 0);
}

void streams_put_back(void)
{
    int saved = errno;
    stream_put_back(stdin, STDIN_FILENO);
    stream_put_back(stdout, STDOUT_FILENO);
    stream_put_back(stderr, STDERR_FILENO);
    descriptor_standard_touched();
    errno = saved;
}

void streams_put_back_touched(void)
{
    if (descriptor_standard_touched()) {
        streams_put_back();
    }
}
