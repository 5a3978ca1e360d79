/*
 * hooks_fd.c - libc's functions that open and close descriptors, told to the ledger and passed on.
 * Runs in the worker, on any thread. fopen, fdopen and fclose are in boundary/, which needs them
 * too. What is closed past these (a raw system call) is noticed at the next boundary.
 */
#include "harness/ledger/children.h"
#include "harness/ledger/descriptor.h"
#include "harness/ledger/resource.h"
#include "harness/ledger/trace.h"
#include "harness/ledger/unwind.h"
#include "harness/meter/meter.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default"))) UNWIND_HOOK_SECTION
#define FRAME  __builtin_frame_address(0)

/* Fortified programs call these. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int directory, const char *path, int flags);
int __openat64_2(int directory, const char *path, int flags);

/* A file that opening makes is also a file of the program's. */
static int file_opened(int fd, int directory, const char *path, bool fresh, const void *frame)
{
    if (fd >= 0 && fresh) {
        descriptor_file_made(directory, path, frame);
    }
    return descriptor_opened(fd, frame);
}

static bool makes(int flags, int directory, const char *path)
{
    return (flags & O_CREAT) != 0 && (flags & O_TMPFILE) != O_TMPFILE &&
           descriptor_path_is_new(directory, path);
}

/* The mode is there only with these flags. */
#define MODE_OF(flags, mode)                                                                       \
    mode_t mode = 0;                                                                               \
    if (((flags) & (O_CREAT | __O_TMPFILE)) != 0) {                                                \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode = va_arg(arguments, mode_t);                                                          \
        va_end(arguments);                                                                         \
    }

#define OPEN(name)                                                                                 \
    EXPORT int name(const char *path, int flags, ...)                                              \
    {                                                                                              \
        MODE_OF(flags, mode)                                                                       \
        bool fresh = makes(flags, AT_FDCWD, path);                                                 \
        return file_opened(NEXT_FUNCTION(name)(path, flags, mode), AT_FDCWD, path, fresh, FRAME);  \
    }

#define OPENAT(name)                                                                               \
    EXPORT int name(int directory, const char *path, int flags, ...)                               \
    {                                                                                              \
        MODE_OF(flags, mode)                                                                       \
        bool fresh = makes(flags, directory, path);                                                \
        return file_opened(NEXT_FUNCTION(name)(directory, path, flags, mode), directory, path,     \
                           fresh, FRAME);                                                          \
    }

#define CREAT(name)                                                                                \
    EXPORT int name(const char *path, mode_t mode)                                                 \
    {                                                                                              \
        bool fresh = descriptor_path_is_new(AT_FDCWD, path);                                       \
        return file_opened(NEXT_FUNCTION(name)(path, mode), AT_FDCWD, path, fresh, FRAME);         \
    }

/* Functions whose answer is a new descriptor and that need nothing else. */
#define OPENS(name, parameters, arguments)                                                         \
    EXPORT int name parameters                                                                     \
    {                                                                                              \
        return descriptor_opened(NEXT_FUNCTION(name) arguments, FRAME);                            \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
CREAT(creat)
CREAT(creat64)
OPENS(__open_2, (const char *path, int flags), (path, flags))
OPENS(__open64_2, (const char *path, int flags), (path, flags))
OPENS(__openat_2, (int directory, const char *path, int flags), (directory, path, flags))
OPENS(__openat64_2, (int directory, const char *path, int flags), (directory, path, flags))
OPENS(socket, (int domain, int type, int protocol), (domain, type, protocol))
OPENS(dup, (int fd), (fd))
OPENS(accept, (int fd, __SOCKADDR_ARG address, socklen_t *length), (fd, address, length))
OPENS(accept4, (int fd, __SOCKADDR_ARG address, socklen_t *length, int flags),
      (fd, address, length, flags))
OPENS(epoll_create, (int size), (size))
OPENS(epoll_create1, (int flags), (flags))
OPENS(eventfd, (unsigned int count, int flags), (count, flags))
OPENS(timerfd_create, (clockid_t clock, int flags), (clock, flags))
OPENS(inotify_init, (void), ())
OPENS(inotify_init1, (int flags), (flags))
OPENS(memfd_create, (const char *name, unsigned int flags), (name, flags))

EXPORT int signalfd(int fd, const sigset_t *mask, int flags)
{
    int made = NEXT_FUNCTION(signalfd)(fd, mask, flags);
    return fd >= 0 ? made : descriptor_opened(made, FRAME);
}

/* The number that is taken over is closed by the same call. */
EXPORT int dup2(int fd, int wanted)
{
    int made = NEXT_FUNCTION(dup2)(fd, wanted);
    return fd == wanted ? made : descriptor_opened(made, FRAME);
}

EXPORT int dup3(int fd, int wanted, int flags)
{
    return descriptor_opened(NEXT_FUNCTION(dup3)(fd, wanted, flags), FRAME);
}

static int two_opened(int answer, const int fds[2], const void *frame)
{
    if (answer == 0) {
        descriptor_opened(fds[0], frame);
        descriptor_opened(fds[1], frame);
    }
    return answer;
}

EXPORT int pipe(int fds[2])
{
    return two_opened(NEXT_FUNCTION(pipe)(fds), fds, FRAME);
}

EXPORT int pipe2(int fds[2], int flags)
{
    return two_opened(NEXT_FUNCTION(pipe2)(fds, flags), fds, FRAME);
}

EXPORT int socketpair(int domain, int type, int protocol, int fds[2])
{
    return two_opened(NEXT_FUNCTION(socketpair)(domain, type, protocol, fds), fds, FRAME);
}

/* Its third argument is an int, a pointer or absent: as a word it is all three. */
#define FCNTL(name)                                                                                \
    EXPORT int name(int fd, int command, ...)                                                      \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, command);                                                              \
        void *argument = va_arg(arguments, void *);                                                \
        va_end(arguments);                                                                         \
        int answer = NEXT_FUNCTION(name)(fd, command, argument);                                   \
        bool opens = command == F_DUPFD || command == F_DUPFD_CLOEXEC;                             \
        return opens ? descriptor_opened(answer, FRAME) : answer;                                  \
    }

FCNTL(fcntl)
FCNTL(fcntl64)

EXPORT int close(int fd)
{
    return NEXT_FUNCTION(close)(descriptor_closing(fd));
}

EXPORT FILE *fopen64(const char *path, const char *mode)
{
    bool fresh = descriptor_stream_is_new(path, mode);
    return descriptor_stream_opened(NEXT_FUNCTION(fopen64)(path, mode), path, fresh, FRAME);
}

#define REOPEN(name)                                                                               \
    EXPORT FILE *name(const char *path, const char *mode, FILE *file)                              \
    {                                                                                              \
        bool fresh = descriptor_stream_is_new(path, mode);                                         \
        descriptor_stream_closing(file);                                                           \
        return descriptor_stream_opened(NEXT_FUNCTION(name)(path, mode, file), path, fresh,        \
                                        FRAME);                                                    \
    }

REOPEN(freopen)
REOPEN(freopen64)

#define STREAM(name, parameters, arguments)                                                        \
    EXPORT FILE *name parameters                                                                   \
    {                                                                                              \
        return descriptor_stream_opened(NEXT_FUNCTION(name) arguments, NULL, false, FRAME);        \
    }

STREAM(tmpfile, (void), ())
STREAM(tmpfile64, (void), ())

EXPORT FILE *popen(const char *command, const char *mode)
{
    FILE *file = NEXT_FUNCTION(popen)(command, mode);
    if (file != NULL) {
        children_program(command);
        meter_child_touched();
    }
    return descriptor_stream_opened(file, NULL, false, FRAME);
}

EXPORT int pclose(FILE *file)
{
    return NEXT_FUNCTION(pclose)(descriptor_stream_closing(file));
}

EXPORT DIR *opendir(const char *path)
{
    DIR *directory = NEXT_FUNCTION(opendir)(path);
    if (directory != NULL) {
        descriptor_opened(dirfd(directory), FRAME);
    }
    return directory;
}

EXPORT int closedir(DIR *directory)
{
    descriptor_closing(dirfd(directory)); /* NULL is not allowed here */
    return NEXT_FUNCTION(closedir)(directory);
}
