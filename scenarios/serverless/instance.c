/* instance.c - see instance.h. instance_main runs in the instance, the rest in the test program. */
#include "instance.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum verb { VERB_GET, VERB_REFRESH, VERB_INVALIDATE, VERB_STATISTICS };

struct order {
    enum verb verb;
    char key[60];
};

struct reply {
    bool ok;
    struct answer answer;
    struct tiered_statistics statistics; /* of VERB_STATISTICS; its names are not sent */
};

struct instance instance_start(const struct service_kind *kind, uint64_t refresh_ns)
{
    int ends[2];
    char page[16], refresh[24], socket[16];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC); /* else another instance would hold it open */
    snprintf(page, sizeof page, "%d", world.fd);
    snprintf(refresh, sizeof refresh, "%llu", (unsigned long long)refresh_ns);
    snprintf(socket, sizeof socket, "%d", ends[1]);
    int pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        unsetenv("LD_PRELOAD"); /* what is measured is the test */
        execl("/proc/self/exe", "instance", "--instance", kind->name, refresh, page, world.file,
              world.redis.pid != 0 ? world.redis.socket : "-", socket, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    return (struct instance){.pid = pid, .fd = ends[0]};
}

void instance_stop(struct instance *instance)
{
    int status = 0;
    close(instance->fd);
    ck_assert_int_eq(waitpid(instance->pid, &status, 0), instance->pid);
    ck_assert_int_eq(status, 0);
    *instance = (struct instance){.fd = -1};
}

static void order(struct instance *instance, enum verb verb, const char *key)
{
    struct order order = {.verb = verb};
    snprintf(order.key, sizeof order.key, "%s", key);
    ck_assert_int_eq(send(instance->fd, &order, sizeof order, MSG_NOSIGNAL), sizeof order);
}

static struct reply reply_take(struct instance *instance)
{
    struct reply reply;
    ck_assert_int_eq(recv(instance->fd, &reply, sizeof reply, MSG_WAITALL), sizeof reply);
    return reply;
}

void instance_get_begin(struct instance *instance, const char *key)
{
    order(instance, VERB_GET, key);
}

struct answer instance_get_end(struct instance *instance)
{
    return reply_take(instance).answer;
}

struct answer instance_get(struct instance *instance, const char *key)
{
    instance_get_begin(instance, key);
    return instance_get_end(instance);
}

bool instance_refresh(struct instance *instance, const char *key)
{
    order(instance, VERB_REFRESH, key);
    return reply_take(instance).ok;
}

bool instance_invalidate(struct instance *instance, const char *key)
{
    order(instance, VERB_INVALIDATE, key);
    return reply_take(instance).ok;
}

bool instance_statistics(struct instance *instance, struct tiered_statistics *statistics)
{
    order(instance, VERB_STATISTICS, "");
    struct reply reply = reply_take(instance);
    *statistics = reply.statistics;
    return reply.ok;
}

struct answer request(const struct service_kind *kind, const char *key)
{
    struct instance instance = instance_start(kind, 0);
    struct answer answer = instance_get(&instance, key);
    instance_stop(&instance);
    return answer;
}

static struct reply serve(const struct service_kind *kind, void *service, const struct order *order)
{
    struct reply reply = {0};
    switch (order->verb) {
    case VERB_GET:
        world.page->begun++;
        reply.ok = kind->get(service, order->key, &reply.answer);
        break;
    case VERB_REFRESH:
        reply.ok = kind->refresh(service, order->key);
        break;
    case VERB_INVALIDATE:
        reply.ok = kind->invalidate(service, order->key);
        break;
    case VERB_STATISTICS:
        reply.ok = kind->statistics(service, &reply.statistics);
        break;
    }
    for (unsigned i = 0; i < TIERED_LEVELS; i++) {
        reply.statistics.levels[i].name = NULL;
    }
    return reply;
}

int instance_main(char **arguments)
{
    const struct service_kind *kind = service_find(arguments[0]);
    int fd = (int)strtol(arguments[5], NULL, 10);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!kind || !world_join((int)strtol(arguments[2], NULL, 10), arguments[3], arguments[4])) {
        return 2;
    }
    void *service = kind->open(strtoull(arguments[1], NULL, 10));
    if (!service) {
        return 3;
    }
    struct order order;
    while (recv(fd, &order, sizeof order, MSG_WAITALL) == sizeof order) {
        struct reply reply = serve(kind, service, &order);
        if (send(fd, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply) {
            break;
        }
    }
    kind->close(service);
    return 0;
}
