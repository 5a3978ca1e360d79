/*
 * postgres_fixture.h - a PostgreSQL cluster of a test program's own: in a temporary folder, on a
 * Unix socket and on loopback, as an unprivileged user where the tests run as root, which the
 * server refuses. It takes one to two seconds: start it once for all tests of a program. It ends
 * with the program. For tests and suites only.
 */
#ifndef TIERED_POSTGRES_FIXTURE_H
#define TIERED_POSTGRES_FIXTURE_H

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct postgres_fixture {
    int pid, port;
    char folder[48], address[120]; /* of libpq, over the socket */
};

/* Where Debian, or a build by hand, has the server's programs; "": nowhere. */
static inline const char *postgres_programs(void)
{
    static char folder[200];
    glob_t found;
    if (!folder[0] && glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) == 0) {
        snprintf(folder, sizeof folder, "%s", found.gl_pathv[found.gl_pathc - 1]);
        *strrchr(folder, '/') = 0;
        globfree(&found);
    }
    return folder;
}

/* Looked at in a child: what a library leaves in memory would be this test's. */
static inline bool postgres_has_library(void)
{
    int status = 1, pid = fork();
    if (pid == 0) {
        _exit(dlopen("libpq.so.5", RTLD_NOW) ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Why there is none, or NULL. */
static inline const char *postgres_missing(void)
{
    return !postgres_programs()[0]   ? "no PostgreSQL server in /usr/lib/postgresql"
           : !postgres_has_library() ? "libpq.so.5 is not installed"
                                     : NULL;
}

#define POSTGRES_NOBODY 65534 /* Debian's nobody and nogroup */

/* A child that runs PROGRAM of the server's as nobody; its output goes to FOLDER/log. */
static inline int postgres_child(const struct postgres_fixture *postgres, const char *program,
                                 char *const *arguments)
{
    char path[256], log[80];
    int pid = fork();
    if (pid != 0) {
        return pid;
    }
    if (getuid() == 0 && (setgid(POSTGRES_NOBODY) != 0 || setuid(POSTGRES_NOBODY) != 0)) {
        _exit(126);
    }
    prctl(PR_SET_PDEATHSIG, SIGQUIT); /* an immediate shutdown */
    unsetenv("LD_PRELOAD");
    snprintf(path, sizeof path, "%s/%s", postgres_programs(), program);
    snprintf(log, sizeof log, "%s/log", postgres->folder);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644), in = open("/dev/null", O_RDONLY);
    if (chdir("/") != 0) {
        _exit(125);
    }
    dup2(in, 0);
    dup2(out, 1);
    dup2(out, 2);
    /* They look for their siblings beside their own path, or in PATH where they are called by name.
     */
    char *whole[24] = {path};
    for (int i = 1; i < 23 && arguments[i] != NULL; i++) {
        whole[i] = arguments[i];
    }
    execv(path, whole);
    _exit(127);
}

static inline bool postgres_run(const struct postgres_fixture *postgres, const char *program,
                                char *const *arguments)
{
    int status = -1, pid = postgres_child(postgres, program, arguments);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static inline int postgres_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
              getsockname(fd, (struct sockaddr *)&address, &length) == 0;
    close(fd);
    return ok ? ntohs(address.sin_port) : -1;
}

/* The server writes "ready" into the eighth line of its file when it takes connections. */
static inline bool postgres_is_ready(const struct postgres_fixture *postgres)
{
    char path[100], line[200] = "";
    snprintf(path, sizeof path, "%s/data/postmaster.pid", postgres->folder);
    FILE *file = fopen(path, "r");
    bool ready = false;
    for (int i = 0; file && i < 8 && fgets(line, sizeof line, file); i++) {
        ready = i == 7 && (strncmp(line, "ready", 5) == 0);
    }
    if (file) {
        fclose(file);
    }
    return ready;
}

/* Starts the server over FOLDER/data. Returns false if it is not ready within 60 s. */
static inline bool postgres_serve(struct postgres_fixture *postgres)
{
    char data[80], port[16];
    snprintf(data, sizeof data, "%s/data", postgres->folder);
    snprintf(port, sizeof port, "%d", postgres->port);
    char *const arguments[] = {"postgres",
                               "-D",
                               data,
                               "-k",
                               postgres->folder,
                               "-p",
                               port,
                               "-clisten_addresses=127.0.0.1",
                               "-cfsync=off",
                               "-cshared_buffers=16MB",
                               "-cmax_connections=20",
                               "-csuperuser_reserved_connections=3",
                               "-cmax_wal_senders=4",
                               "-cautovacuum=off",
                               "-clog_min_messages=fatal",
                               NULL};
    postgres->pid = postgres_child(postgres, "postgres", arguments);
    for (int tries = 0; postgres->pid > 0 && tries < 12000; tries++) {
        struct timespec pause = {.tv_nsec = 5000000};
        if (postgres_is_ready(postgres)) {
            return true;
        }
        if (waitpid(postgres->pid, NULL, WNOHANG) != 0) {
            postgres->pid = 0;
            return false;
        }
        nanosleep(&pause, NULL);
    }
    return false;
}

static inline bool postgres_folder_make(struct postgres_fixture *postgres)
{
    snprintf(postgres->folder, sizeof postgres->folder, "/tmp/tidemark-postgres-XXXXXX");
    postgres->port = postgres_free_port();
    if (!mkdtemp(postgres->folder) || chmod(postgres->folder, 0755) != 0 || postgres->port < 0 ||
        (getuid() == 0 && chown(postgres->folder, POSTGRES_NOBODY, POSTGRES_NOBODY) != 0)) {
        return false;
    }
    snprintf(postgres->address, sizeof postgres->address,
             "host=%s port=%d dbname=postgres user=tidemark", postgres->folder, postgres->port);
    return true;
}

/* A new cluster, whose superuser "tidemark" needs no password. */
static inline bool postgres_start(struct postgres_fixture *postgres)
{
    char data[80];
    if (!postgres_folder_make(postgres)) {
        return false;
    }
    snprintf(data, sizeof data, "%s/data", postgres->folder);
    char *const arguments[] = {"initdb",     "-D", data,       "-A",
                               "trust",      "-U", "tidemark", "--no-sync",
                               "--locale=C", "-E", "UTF8",     "--no-instructions",
                               NULL};
    return postgres_run(postgres, "initdb", arguments) && postgres_serve(postgres);
}

/* A standby of `primary`, which it follows by streaming. */
static inline bool postgres_follow(struct postgres_fixture *standby,
                                   const struct postgres_fixture *primary)
{
    char data[80], from[200];
    if (!postgres_folder_make(standby)) {
        return false;
    }
    snprintf(data, sizeof data, "%s/data", standby->folder);
    snprintf(from, sizeof from, "%s", primary->address);
    char *const arguments[] = {"pg_basebackup", "-D",     data, "-d", from, "-R",
                               "-Xstream",      "-cfast", "-N", NULL};
    return postgres_run(standby, "pg_basebackup", arguments) && postgres_serve(standby);
}

/* Ends the server at once, as a crash would. */
static inline void postgres_kill(struct postgres_fixture *postgres)
{
    if (postgres->pid > 0) {
        kill(postgres->pid, SIGQUIT);
        waitpid(postgres->pid, NULL, 0);
    }
    postgres->pid = 0;
}

static inline void postgres_end(struct postgres_fixture *postgres)
{
    char command[80];
    postgres_kill(postgres);
    snprintf(command, sizeof command, "rm -rf '%s'", postgres->folder);
    if (strncmp(postgres->folder, "/tmp/tidemark-postgres-", 23) == 0 && system(command) != 0) {
        fprintf(stderr, "%s is left behind\n", postgres->folder);
    }
}

#endif
