/* plugin.c - see plugin.h. plugin_main runs in a process of its own, the rest in the test program.
 */
#include "plugin.h"

#include "collector.h"
#include "memory.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;
static int plugin_port;
static const char *plugin_mode;

#define CALLS_MAX   16
#define PATIENCE_MS 10000u /* that a host's question for progress gives a call */

struct call {
    char id[64];
    unsigned timeout_s;
    bool running;
    struct transport_watch watch;
};

static pthread_mutex_t calls_lock = PTHREAD_MUTEX_INITIALIZER;
static struct call calls[CALLS_MAX];

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* One write a message: messages of several threads do not mix. */
static void say(const char *text, size_t length)
{
    pthread_mutex_lock(&out_lock);
    while (length > 0) {
        ssize_t written = write(1, text, length);
        if (written <= 0) {
            _exit(0); /* the host is gone */
        }
        text += written;
        length -= (size_t)written;
    }
    pthread_mutex_unlock(&out_lock);
}

static void answer(const char *id, int code, const char *body)
{
    char *text = NULL;
    int length = asprintf(
        &text, "FUNCTION_RESULT_BEGIN %s %d text/plain 0\n%sFUNCTION_RESULT_END\n", id, code, body);
    if (length > 0) {
        say(text, (size_t)length);
        free(text);
    }
}

static void *call_run(void *context)
{
    struct call *call = context;
    struct http_upstream upstream;
    /* The upstream runs already; only the client's half is needed here. */
    http_upstream_connect(&upstream, plugin_port, plugin_mode);
    upstream.transport.deadline_ns = call->timeout_s * 1000000000ull;
    upstream.transport.watch = &call->watch;
    struct snapshot *snapshot = snapshot_fetch(&upstream.transport, 4);
    char *body = snapshot ? snapshot_print(snapshot) : NULL;
    bool cancelled = !body && call->watch.cancelled;
    char id[sizeof call->id];
    pthread_mutex_lock(&calls_lock); /* no report of progress follows the answer */
    memcpy(id, call->id, sizeof id);
    call->running = false;
    pthread_mutex_unlock(&calls_lock);
    answer(id,
           body        ? 200
           : cancelled ? 499
                       : 504,
           body        ? body
           : cancelled ? "cancelled\n"
                       : "the upstream did not answer in time\n");
    memory_give(body);
    snapshot_release(&snapshot);
    http_upstream_stop(&upstream);
    return NULL;
}

/* With calls_lock held, so that no report follows the call's answer by a new call of the same
 * place. */
static void progress_say(const struct call *call)
{
    char line[128];
    int length = snprintf(line, sizeof line, "FUNCTION_PROGRESS %s %u %u\n", call->id,
                          (unsigned)call->watch.done, (unsigned)call->watch.all);
    say(line, (size_t)length);
}

static void *heartbeat_run(void *context)
{
    unsigned every_ms = *(const unsigned *)context;
    struct timespec pause = {.tv_sec = every_ms / 1000, .tv_nsec = every_ms % 1000 * 1000000L};
    for (nanosleep(&pause, NULL);; nanosleep(&pause, NULL)) {
        say("PLUGIN_KEEPALIVE\n", 17);
        pthread_mutex_lock(&calls_lock);
        for (size_t i = 0; i < CALLS_MAX; i++) {
            if (calls[i].running && calls[i].watch.all > 0) {
                progress_say(&calls[i]);
            }
        }
        pthread_mutex_unlock(&calls_lock);
    }
    return NULL;
}

static void call_begin(const char *id, unsigned timeout_s)
{
    pthread_t thread;
    struct call *call = calls;
    pthread_mutex_lock(&calls_lock);
    while (call < calls + CALLS_MAX && call->running) {
        call++;
    }
    bool room = call < calls + CALLS_MAX;
    if (room) {
        *call = (struct call){.timeout_s = timeout_s, .running = true};
        snprintf(call->id, sizeof call->id, "%s", id);
        room = pthread_create(&thread, NULL, call_run, call) == 0;
        call->running = room;
    }
    pthread_mutex_unlock(&calls_lock);
    if (room) {
        pthread_detach(thread);
    } else {
        answer(id, 503, "too many calls\n");
    }
}

/* What the host says of a call under way; one that has ended meanwhile is no error. */
static void call_hear(const char *id, bool cancel)
{
    pthread_mutex_lock(&calls_lock);
    for (size_t i = 0; i < CALLS_MAX; i++) {
        struct call *call = &calls[i];
        if (call->running && strcmp(call->id, id) == 0) {
            if (cancel) {
                call->watch.cancelled = true;
            } else {
                call->watch.until_ms = now_ms() + PATIENCE_MS;
                progress_say(call);
            }
        }
    }
    pthread_mutex_unlock(&calls_lock);
}

static void line_take(const char *line)
{
    char id[64];
    unsigned timeout_s;
    if (sscanf(line, "FUNCTION_CANCEL %63s", id) == 1) {
        call_hear(id, true);
    } else if (sscanf(line, "FUNCTION_PROGRESS %63s", id) == 1) {
        call_hear(id, false);
    } else if (sscanf(line, "FUNCTION %63s %u", id, &timeout_s) == 2) {
        call_begin(id, timeout_s);
    }
}

void plugin_main(int port, const char *mode, unsigned heartbeat_ms)
{
    static const char registration[] =
        "FUNCTION GLOBAL \"deployments\" 30 \"models and their deployments\"\n";
    pthread_t thread;
    char line[256];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    plugin_port = port;
    plugin_mode = mode;
    say(registration, sizeof registration - 1);
    pthread_create(&thread, NULL, heartbeat_run, &heartbeat_ms);
    while (fgets(line, sizeof line, stdin)) {
        if (strncmp(line, "QUIT", 4) == 0) {
            break;
        }
        line_take(line);
    }
    _exit(0);
}

/* The host. --------------------------------------------------------------------------------------
 */

bool host_start(struct host *host, const struct http_upstream *upstream, unsigned heartbeat_ms)
{
    int in[2], out[2];
    char port[16], every[16];
    *host = (struct host){.pid = -1};
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
        return false;
    }
    snprintf(port, sizeof port, "%d", upstream->port);
    snprintf(every, sizeof every, "%u", heartbeat_ms);
    host->started_ms = host->last_ms = now_ms();
    host->pid = fork();
    if (host->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        unsetenv("LD_PRELOAD");
        execl("/proc/self/exe", "plugin", "--plugin", port, upstream->prefix, every, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    host->to = in[1];
    host->from = out[0];
    return host->pid > 0;
}

void host_send(struct host *host, const char *line)
{
    if (write(host->to, line, strlen(line)) < 0) {
        host->filled = 0; /* the plugin is gone: the wait for its answer says so */
    }
}

/* A whole line out of the buffer. */
static bool line_next(struct host *host, char *line, size_t room)
{
    char *end = memchr(host->buffer, '\n', host->filled);
    if (!end) {
        return false;
    }
    size_t length = (size_t)(end - host->buffer);
    snprintf(line, room, "%.*s", (int)length, host->buffer);
    host->filled -= length + 1;
    memmove(host->buffer, end + 1, host->filled);
    uint64_t now = now_ms(), gap = now - host->last_ms;
    host->first_ms = host->first_ms ? host->first_ms : now;
    host->gap_ms = gap > host->gap_ms ? gap : host->gap_ms;
    host->last_ms = now;
    return true;
}

bool host_wait(struct host *host, const char *wanted, unsigned timeout_ms, char *line, size_t room)
{
    uint64_t end = now_ms() + timeout_ms;
    for (uint64_t now = now_ms(); now < end; now = now_ms()) {
        while (line_next(host, line, room)) {
            if (strncmp(line, wanted, strlen(wanted)) == 0) {
                return true;
            }
        }
        struct pollfd poll_fd = {.fd = host->from, .events = POLLIN};
        if (poll(&poll_fd, 1, (int)(end - now)) > 0) {
            ssize_t got =
                read(host->from, host->buffer + host->filled, sizeof host->buffer - host->filled);
            if (got <= 0) {
                return false;
            }
            host->filled += (size_t)got;
        }
    }
    return false;
}

bool host_progress(struct host *host, const char *id, unsigned timeout_ms, unsigned *done,
                   unsigned *all)
{
    char wanted[96], line[256];
    snprintf(wanted, sizeof wanted, "FUNCTION_PROGRESS %.64s ", id);
    return host_wait(host, wanted, timeout_ms, line, sizeof line) &&
           sscanf(line + strlen(wanted), "%u %u", done, all) == 2;
}

void host_stop(struct host *host)
{
    if (host->pid > 0) {
        kill(host->pid, SIGKILL);
        waitpid(host->pid, NULL, 0);
        close(host->to);
        close(host->from);
    }
    host->pid = -1;
}

/* Virtual time. ----------------------------------------------------------------------------------
 */

static uint64_t fetch_ns(void)
{
    struct virtual_upstream upstream;
    virtual_upstream_init(&upstream);
    struct snapshot *snapshot = snapshot_fetch(&upstream.transport, 1);
    snapshot_release(&snapshot);
    return upstream.now_ns;
}

uint64_t plugin_longest_silence(enum plugin_start start, uint64_t refresh_ns, uint64_t until_ns)
{
    const uint64_t heartbeat = 1000000000u, fetch = fetch_ns();
    uint64_t now = 0, said = 0, longest = 0, refreshed = 0;
    if (start == START_FETCH_FIRST) {
        now = refreshed = fetch;
    }
    while (now < until_ns) {
        longest = now - said > longest ? now - said : longest;
        said = now; /* the registration, then heartbeats */
        if (start == START_REGISTER_FIRST && refreshed == 0) {
            now += fetch; /* the first fetch, on the thread of the heartbeat */
            refreshed = now;
        } else if (start == START_REFRESH_IN_LOOP && now - refreshed >= refresh_ns) {
            now += fetch;
            refreshed = now;
        } else {
            now += heartbeat; /* on demand: calls have threads of their own */
        }
    }
    return longest;
}
