/* herd.c - see herd.h. Runs in the test's process and in those it forks. */
#include "herd.h"

#include "scenarios/upstream/upstream.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Not check's assertions: herds run outside of tests as well (--herd). */
#define MUST(what)                                                                                 \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define PATIENCE_S 100 /* then a rule that cannot be met ends the process */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void herd_wait(struct herd *herd, enum step step, unsigned times)
{
    uint64_t end = now_ns() + PATIENCE_S * 1000000000ull;
    while (herd->steps[step] < times) {
        struct timespec pause = {0, 200000};
        nanosleep(&pause, NULL);
        if (now_ns() > end) {
            fprintf(stderr, "provider-file: step %d was passed %u times, not %u\n", (int)step,
                    herd->steps[step], times);
            abort();
        }
    }
}

void member_step(struct member *member, enum step step)
{
    struct herd *herd = member->herd;
    herd->steps[step]++;
    for (size_t i = 0; i < sizeof herd->rules / sizeof herd->rules[0]; i++) {
        const struct rule *rule = &herd->rules[i];
        if (rule->times > 0 && rule->at == step &&
            (rule->process < 0 || rule->process == (int)member->index)) {
            herd_wait(herd, rule->until, rule->times);
        }
    }
}

void member_arrive(struct member *member)
{
    if (!member->arrived) {
        member->arrived = true;
        member_step(member, STEP_ARRIVED);
    }
}

void member_piece(struct member *member)
{
    if (++member->pieces == member->herd->kill_at) {
        kill(getpid(), SIGKILL);
    }
}

static bool http_fetch(const struct herd *herd, char *text, size_t room, size_t *length)
{
    struct upstream_body body;
    char path[64];
    snprintf(path, sizeof path, "/%u/0/0/most=%u/providers", herd->latency_ms, herd->most);
    bool ok = upstream_get(herd->port, path, NULL, 60000, &body) == 200 && body.bytes <= room;
    if (ok) {
        memcpy(text, body.text, body.bytes);
        *length = body.bytes;
    }
    free(body.text);
    return ok;
}

bool member_fetch(struct member *member, char *text, size_t room, size_t *length)
{
    unsigned number = ++member->herd->fetches;
    member_arrive(member);
    member_step(member, STEP_FETCHING);
    if (member->herd->port) {
        return http_fetch(member->herd, text, room, length);
    }
    *length = document_write(text, room, number);
    return true;
}

struct herd *herd_new(const char *path, unsigned count)
{
    struct herd *herd =
        mmap(NULL, sizeof *herd, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(herd != MAP_FAILED);
    MUST(count <= HERD_MOST);
    herd->count = count;
    snprintf(herd->path, sizeof herd->path, "%s", path);
    return herd;
}

void herd_free(struct herd **herd)
{
    munmap(*herd, sizeof **herd);
    *herd = NULL;
}

void herd_rule(struct herd *herd, int process, enum step at, enum step until, unsigned times)
{
    for (size_t i = 0; i < sizeof herd->rules / sizeof herd->rules[0]; i++) {
        if (herd->rules[i].times == 0) {
            herd->rules[i] = (struct rule){process, at, until, times};
            return;
        }
    }
    MUST(!"too many rules");
}

static void member_run(struct herd *herd, unsigned index, herd_load *load)
{
    struct member member = {.herd = herd, .index = index};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    member_step(&member, STEP_START);
    herd_wait(herd, STEP_START, herd->count); /* off they go together */
    uint64_t begun = now_ns();
    enum ending ending = load(&member);
    herd->took_ns[index] = now_ns() - begun;
    herd->endings[index] = (uint8_t)ending;
}

void herd_begin(struct herd *herd, herd_load *load, pid_t pids[HERD_MOST])
{
    for (unsigned i = 0; i < herd->count; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            member_run(herd, i, load);
            _exit(0);
        }
        MUST(pids[i] > 0);
    }
}

void herd_end(struct herd *herd, const pid_t pids[HERD_MOST])
{
    for (unsigned i = 0; i < herd->count; i++) {
        int status;
        MUST(waitpid(pids[i], &status, 0) == pids[i]);
        MUST(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    }
}

void herd_run(struct herd *herd, herd_load *load)
{
    pid_t pids[HERD_MOST];
    herd_begin(herd, load, pids);
    herd_end(herd, pids);
}

unsigned herd_ended(const struct herd *herd, enum ending ending)
{
    unsigned count = 0;
    for (unsigned i = 0; i < herd->count; i++) {
        count += herd->endings[i] == ending;
    }
    return count;
}

/* Each line says which document it belongs to, so that no mixture of two passes for one. */
size_t document_write(char *text, size_t room, uint32_t serial)
{
    size_t length = (size_t)snprintf(text, room, "{\"serial\": %u, \"providers\": [\n", serial);
    for (unsigned i = 0; length + 128 < room && length + 128 < DOCUMENT_BYTES; i++) {
        length += (size_t)snprintf(text + length, room - length,
                                   "{\"provider\": %u, \"of\": %u, \"models\": %u},\n", i, serial,
                                   (serial * 2654435761u + i) % 1000);
    }
    return length + (size_t)snprintf(text + length, room - length, "{}]}\n");
}

bool document_check(const char *text, size_t bytes, uint32_t *serial)
{
    char whole[DOCUMENT_BYTES + 64];
    char head[64] = "";
    memcpy(head, text, bytes < sizeof head - 1 ? bytes : sizeof head - 1);
    *serial = 0;
    if (sscanf(head, "{\"serial\": %u,", serial) != 1) { /* NOLINT(cert-err34-c): checked below */
        return false;
    }
    size_t length = document_write(whole, sizeof whole, *serial);
    return length == bytes && memcmp(whole, text, bytes) == 0;
}
