/* observed.c - see observed.h. */
#include "harness/campaign/observed.h"

#include "harness/base/memory.h"

#include <stdlib.h>
#include <string.h>

#define SITE_NUMBER_MOST (4096u * 1024u) /* as many as a worker gives */
/* So far may a number be beyond twice those that are known. Numbers are given in order, but most
 * sites are never sent; a single forged one is not to cost gigabytes. */
#define SITE_AHEAD 262144u

void observed_init(struct observed *observed)
{
    *observed = (struct observed){0};
}

void observed_fini(struct observed *observed)
{
    for (size_t i = 0; i < observed->test_count; i++) {
        free(observed->tests[i].id);
        free(observed->tests[i].file);
    }
    symbols_free(&observed->symbols);
    free(observed->tests);
    free(observed->sites);
    free(observed->survivors);
    free(observed->held);
    free(observed->releases);
    free(observed->givens);
}

void observed_worker_begins(struct observed *observed)
{
    symbols_free(&observed->symbols);
    observed->symbols = symbols_new();
    observed->site_count = observed->survivor_count = observed->held_count = 0;
    observed->release_count = observed->given_count = 0;
}

static void take_test(struct observed *observed, const struct wire_test_name *name)
{
    if (name->test < observed->test_count) {
        return; /* a new worker offers the same tests again */
    }
    memory_grow(&observed->tests, &observed->test_room, observed->test_count + 1,
                sizeof observed->tests[0]);
    bool named = observed->program != NULL && observed->program[0] != '\0';
    observed->tests[observed->test_count++] = (struct observed_test){
        .id = named ? memory_format("%s/%s", observed->program, name->id) : memory_copy(name->id),
        .file = memory_copy(name->file),
        .line = name->line,
        .group = name->group,
        .forked = (name->flags & WIRE_TEST_FORKED) != 0};
}

void observed_tests_copy(struct observed *observed, const struct observed *other)
{
    observed->hello = other->hello;
    for (size_t i = observed->test_count; i < other->test_count; i++) {
        memory_grow(&observed->tests, &observed->test_room, i + 1, sizeof observed->tests[0]);
        observed->tests[i] = other->tests[i];
        observed->tests[i].id = memory_copy(other->tests[i].id);
        observed->tests[i].file = memory_copy(other->tests[i].file);
        observed->test_count++;
    }
}

void observed_test_begins(struct observed *observed)
{
    for (size_t i = 0; i < observed->site_count; i++) {
        observed->sites[i].begin_blocks = observed->sites[i].blocks;
        observed->sites[i].begin_bytes = observed->sites[i].bytes;
    }
}

/* Room for the site of this number. NULL when no worker gives such a number. */
static struct observed_site *site_at(struct observed *observed, uint32_t number)
{
    if (number > SITE_NUMBER_MOST || number > 2 * observed->site_count + SITE_AHEAD) {
        return NULL;
    }
    memory_grow(&observed->sites, &observed->site_room, number + 1u, sizeof observed->sites[0]);
    while (observed->site_count <= number) {
        observed->sites[observed->site_count] = (struct observed_site){
            .number = (uint32_t)observed->site_count, .family = (uint32_t)observed->site_count};
        observed->site_count++;
    }
    return &observed->sites[number];
}

static void whole_set(const struct observed *observed, struct observed_site *root, int64_t blocks,
                      int64_t bytes, int64_t floor_blocks, int64_t floor_bytes)
{
    if (root->whole.round != observed->round) {
        root->whole.before = root->whole.held;
        root->whole.before_blocks = root->whole.held_blocks;
        root->whole.round = observed->round;
    }
    root->whole.held = observed_worth(blocks, bytes);
    root->whole.held_blocks = blocks;
    root->whole.floor = observed_worth(floor_blocks, floor_bytes);
    root->whole.floor_blocks = floor_blocks;
}

static void take_site(struct observed *observed, const struct wire_site *site)
{
    struct observed_site *kept = site_at(observed, site->site);
    if (!kept || site->family > site->site) {
        return;
    }
    uint32_t family = site->family > 0 ? site->family : site->site;
    kept->left = kept->left || (kept->family == kept->number && family != kept->number);
    kept->kind = site->kind;
    kept->family = family;
    kept->blocks = site->live_blocks;
    kept->bytes = site->live_bytes;
    kept->born_blocks = site->born_blocks;
    kept->born_bytes = site->born_bytes;
    kept->round = observed->round;
    if (kept->family == kept->number && !kept->whole.joined) {
        whole_set(observed, kept, site->live_blocks, site->live_bytes, site->floor_blocks,
                  site->floor_bytes);
    }
    if (site->frame_count > 0) { /* they come once */
        kept->frame_count =
            site->frame_count < WIRE_FRAMES_MAX ? site->frame_count : WIRE_FRAMES_MAX;
        memcpy(kept->frames, site->frames, kept->frame_count * sizeof kept->frames[0]);
    }
}

static void take_family(struct observed *observed, const struct wire_family *family)
{
    struct observed_site *root = site_at(observed, family->family);
    if (root) {
        root->kind = family->kind; /* the site itself may never be sent */
        root->whole.joined = true;
        whole_set(observed, root, family->live_blocks, family->live_bytes, family->floor_blocks,
                  family->floor_bytes);
    }
}

uint32_t observed_largest(const struct observed *observed, uint32_t family)
{
    uint32_t best = family;
    int64_t most = -1;
    for (size_t i = 0; i < observed->site_count; i++) {
        const struct observed_site *site = &observed->sites[i];
        int64_t holds = observed_worth(site->blocks, site->bytes);
        if (site->family == family && site->frame_count > 0 && holds > most) {
            best = (uint32_t)i;
            most = holds;
        }
    }
    return best;
}

struct observed_site *observed_site(const struct observed *observed, uint32_t number)
{
    bool known = number < observed->site_count && observed->sites[number].frame_count > 0;
    return known ? &observed->sites[number] : NULL;
}

#define APPEND(observed, name, record)                                                             \
    do {                                                                                           \
        memory_grow(&(observed)->name##s, &(observed)->name##_room, (observed)->name##_count + 1,  \
                    sizeof(observed)->name##s[0]);                                                 \
        memcpy(&(observed)->name##s[(observed)->name##_count++], record,                           \
               sizeof(observed)->name##s[0]);                                                      \
    } while (0)

bool observed_take(struct observed *observed, const struct wire_record *record)
{
    switch (record->type) {
    case WIRE_HELLO:
        memcpy(&observed->hello, record, sizeof observed->hello);
        return true;
    case WIRE_MODULE:
        symbols_module(observed->symbols, (const struct wire_module *)record);
        return true;
    case WIRE_TEST_NAME:
        take_test(observed, (const struct wire_test_name *)record);
        return true;
    case WIRE_SITE:
        take_site(observed, (const struct wire_site *)record);
        return true;
    case WIRE_FAMILY:
        take_family(observed, (const struct wire_family *)record);
        return true;
    case WIRE_HELD:
        memory_grow(&observed->held, &observed->held_room, observed->held_count + 1,
                    sizeof observed->held[0]);
        memcpy(&observed->held[observed->held_count++], record, sizeof observed->held[0]);
        return true;
    case WIRE_RELEASE:
        APPEND(observed, release, record);
        return true;
    case WIRE_GIVEN_TO:
        APPEND(observed, given, record);
        return true;
    case WIRE_SURVIVOR:
        APPEND(observed, survivor, record);
        return true;
    default:
        return false;
    }
}
