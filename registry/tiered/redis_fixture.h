/*
 * redis_fixture.h - a Redis server of a test's own: on a Unix socket, and on a port where one is
 * given, in a process that dies with the test. For tests and suites only.
 */
#ifndef TIERED_REDIS_FIXTURE_H
#define TIERED_REDIS_FIXTURE_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct redis_fixture {
    int pid;
    char socket[100];
};

/* Why there is none, or NULL. */
static inline const char *redis_missing(void)
{
    return access("/usr/bin/redis-server", X_OK) == 0 ? NULL : "redis-server is not installed";
}

/* The same as a number, for a counter: 0 it is there, 1 not installed, 2 not built in. */
static inline unsigned redis_missing_code(void)
{
#ifndef HAVE_HIREDIS
    return 2;
#else
    return redis_missing() ? 1 : 0;
#endif
}

static inline bool redis_answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char pong[8] = "";
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
              write(fd, "PING\r\n", 6) == 6 && read(fd, pong, 5) == 5 &&
              (strncmp(pong, "+PONG", 5) == 0 || strncmp(pong, "-NOAU", 5) == 0);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* Runs redis-server with these arguments, of which the first is the program's name. */
static inline void redis_spawn(struct redis_fixture *redis, char *const *arguments)
{
    redis->pid = fork();
    if (redis->pid == 0) {
        int null = open("/dev/null", O_RDWR);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        unsetenv("LD_PRELOAD");
        dup2(null, 1);
        dup2(null, 2);
        execv("/usr/bin/redis-server", arguments);
        _exit(127);
    }
}

/* False: it does not answer on its socket within 20 s. */
static inline bool redis_wait(const struct redis_fixture *redis)
{
    for (int tries = 0; redis->pid > 0 && tries < 10000; tries++) {
        struct timespec pause = {.tv_nsec = 2000000};
        if (redis_answers(redis->socket)) {
            return true;
        }
        nanosleep(&pause, NULL);
    }
    return false;
}

/* Its socket is FOLDER/redis.sock; `more` are further arguments, ended by NULL, or NULL. False: it
 * does not answer. */
static inline bool redis_start_with(struct redis_fixture *redis, const char *folder,
                                    const char *const *more)
{
    char where[100], *arguments[40] = {"redis-server", "--port", "0",     "--save", "",
                                       "--appendonly", "no",     "--dir", where,    "--unixsocket",
                                       redis->socket};
    size_t count = 11;
    snprintf(where, sizeof where, "%s", folder);
    snprintf(redis->socket, sizeof redis->socket, "%s/redis.sock", folder);
    unlink(redis->socket);
    for (; more && *more && count + 1 < sizeof arguments / sizeof arguments[0]; more++) {
        arguments[count++] = (char *)(uintptr_t)*more;
    }
    redis_spawn(redis, arguments);
    return redis_wait(redis);
}

static inline bool redis_start(struct redis_fixture *redis, const char *folder)
{
    return redis_start_with(redis, folder, NULL);
}

static inline void redis_kill(struct redis_fixture *redis)
{
    if (redis->pid > 0) {
        kill(redis->pid, SIGKILL);
        waitpid(redis->pid, NULL, 0);
    }
    redis->pid = 0;
}

#endif
