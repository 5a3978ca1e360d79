/*
 * redis_fixture.h - a Redis server of a test's own: on a Unix socket, without a port, in a process
 * that dies with the test. For tests and suites only.
 */
#ifndef TIERED_REDIS_FIXTURE_H
#define TIERED_REDIS_FIXTURE_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
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
#ifndef HAVE_HIREDIS
    return "hiredis was not there when this was built";
#else
    return access("/usr/bin/redis-server", X_OK) == 0 ? NULL : "redis-server is not installed";
#endif
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
              strncmp(pong, "+PONG", 5) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* Its socket is FOLDER/redis.sock. False: it does not answer within 20 s. */
static inline bool redis_start(struct redis_fixture *redis, const char *folder)
{
    snprintf(redis->socket, sizeof redis->socket, "%s/redis.sock", folder);
    unlink(redis->socket);
    redis->pid = fork();
    if (redis->pid == 0) {
        int null = open("/dev/null", O_RDWR);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        unsetenv("LD_PRELOAD");
        dup2(null, 1);
        dup2(null, 2);
        execl("/usr/bin/redis-server", "redis-server", "--port", "0", "--unixsocket", redis->socket,
              "--save", "", "--appendonly", "no", "--dir", folder, (char *)NULL);
        _exit(127);
    }
    for (int tries = 0; redis->pid > 0 && tries < 10000; tries++) {
        struct timespec pause = {.tv_nsec = 2000000};
        if (redis_answers(redis->socket)) {
            return true;
        }
        nanosleep(&pause, NULL);
    }
    return false;
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
