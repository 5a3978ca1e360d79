/* wire_check.c - see wire_check.h. Supervisor only. */
#include "harness/base/wire_check.h"

#include <string.h>

#define AMOUNT_MOST  ((int64_t)1 << 57) /* bytes and blocks: no address space is larger */
#define COUNTED_MOST ((uint64_t)1 << 62)
#define ASIDES_MOST                                                                                \
    (1u << 14)           /* notes and modules of one worker: a test may load one in each call */
#define ARGUMENTS    16u /* registers that a function's arguments can be in, and more */
#define GIVEN_ORDERS (1u << 20)

#define SIZE_WRONG  "a record has the wrong size"
#define TEXT_OPEN   "a record has a text without an end"
#define RANGE_WRONG "a record has a number out of its range"

static bool text_ends(const char *text, size_t room)
{
    return memchr(text, '\0', room) != NULL;
}

static bool amount_fits(int64_t amount)
{
    return amount > -AMOUNT_MOST && amount < AMOUNT_MOST;
}

static bool amounts_fit(int64_t blocks, int64_t bytes)
{
    return amount_fits(blocks) && amount_fits(bytes);
}

static const char *hello_check(const void *record)
{
    const struct wire_hello *hello = record;
    if (!text_ends(hello->framework, sizeof hello->framework) ||
        !text_ends(hello->allocator, sizeof hello->allocator)) {
        return TEXT_OPEN;
    }
    return hello->way > WIRE_WAY_PROGRAM || hello->pid <= 0 ? RANGE_WRONG : NULL;
}

static const char *module_check(const void *record)
{
    const struct wire_module *module = record;
    if (!text_ends(module->path, sizeof module->path)) {
        return TEXT_OPEN;
    }
    return module->build_id_bytes > sizeof module->build_id || module->start > module->end
               ? RANGE_WRONG
               : NULL;
}

static const char *name_check(const void *record)
{
    const struct wire_test_name *name = record;
    if (!text_ends(name->id, sizeof name->id) || !text_ends(name->file, sizeof name->file)) {
        return TEXT_OPEN;
    }
    return name->test == WIRE_NO_TEST ? RANGE_WRONG : NULL;
}

static const char *ready_check(const void *record)
{
    const struct wire_ready *ready = record;
    return ready->count > WIRE_NO_TEST - 1 - ready->first ? RANGE_WRONG : NULL;
}

static const char *sample_check(const void *record)
{
    const struct wire_sample *sample = record;
    bool fits = sample->status <= WIRE_SKIP && sample->boundaries > 0 &&
                amounts_fit(sample->live_blocks, sample->live_bytes) &&
                amounts_fit(sample->mappings, sample->mapped_bytes) &&
                sample->wall_ns < COUNTED_MOST && sample->peak_rss_bytes < (uint64_t)AMOUNT_MOST;
    return fits ? NULL : RANGE_WRONG;
}

static const char *test_check(const void *record)
{
    const struct wire_test *test = record;
    if (!text_ends(test->message, sizeof test->message) ||
        !text_ends(test->file, sizeof test->file)) {
        return TEXT_OPEN;
    }
    bool fits = test->status <= WIRE_SKIP && test->signal >= 0 && test->signal < NSIG &&
                test->allocs < COUNTED_MOST && test->frees < COUNTED_MOST &&
                test->bytes < COUNTED_MOST && test->wall_ns < COUNTED_MOST &&
                test->peak_rss_bytes < (uint64_t)AMOUNT_MOST &&
                test->rss_bytes < (uint64_t)AMOUNT_MOST &&
                test->own_bytes < (uint64_t)AMOUNT_MOST && amount_fits(test->peak_live_bytes) &&
                amounts_fit(test->retained_blocks, test->retained_bytes);
    return fits ? NULL : RANGE_WRONG;
}

/* It ends after the frames that it has. */
static const char *site_check(const void *record)
{
    const struct wire_site *site = record;
    size_t frames = site->frame_count <= WIRE_FRAMES_MAX ? site->frame_count : 0;
    bool fits = site->site <= WIRE_SITE_MOST && site->family <= WIRE_SITE_MOST &&
                site->kind <= WIRE_SITE_RELEASE && site->frame_count <= WIRE_FRAMES_MAX &&
                site->head.bytes >= offsetof(struct wire_site, frames[frames]) && site->cut <= 1 &&
                amounts_fit(site->live_blocks, site->live_bytes) &&
                amounts_fit(site->floor_blocks, site->floor_bytes) &&
                amounts_fit(site->born_blocks, site->born_bytes);
    return fits ? NULL : RANGE_WRONG;
}

static const char *family_check(const void *record)
{
    const struct wire_family *family = record;
    bool fits = family->family <= WIRE_SITE_MOST && family->kind <= WIRE_SITE_RELEASE &&
                amounts_fit(family->live_blocks, family->live_bytes) &&
                amounts_fit(family->floor_blocks, family->floor_bytes);
    return fits ? NULL : RANGE_WRONG;
}

static const char *survivor_check(const void *record)
{
    const struct wire_survivor *survivor = record;
    bool fits = survivor->site <= WIRE_SITE_MOST && amounts_fit(survivor->blocks, survivor->bytes);
    return fits ? NULL : RANGE_WRONG;
}

static const char *held_check(const void *record)
{
    const struct wire_held *held = record;
    bool fits = held->site <= WIRE_SITE_MOST && held->root <= WIRE_ROOT_REGISTER &&
                held->chain_count <= WIRE_CHAIN_MAX && amounts_fit(held->blocks, held->bytes);
    for (uint32_t i = 0; fits && i < held->chain_count; i++) {
        fits = held->chain[i].site <= WIRE_SITE_MOST;
    }
    return fits ? NULL : RANGE_WRONG;
}

static const char *counter_check(const void *record)
{
    const struct wire_counter *counter = record;
    return text_ends(counter->name, sizeof counter->name) ? NULL : TEXT_OPEN;
}

static const char *histogram_check(const void *record)
{
    const struct wire_histogram *histogram = record;
    return text_ends(histogram->name, sizeof histogram->name) ? NULL : TEXT_OPEN;
}

static const char *note_check(const void *record)
{
    const struct wire_note *note = record;
    return text_ends(note->text, sizeof note->text) ? NULL : TEXT_OPEN;
}

static const char *done_check(const void *record)
{
    const struct wire_done *done = record;
    return done->op == WIRE_OP_NONE || done->op > WIRE_OP_FINISH ? RANGE_WRONG : NULL;
}

static const char *bye_check(const void *record)
{
    (void)record;
    return NULL;
}

static const char *release_check(const void *record)
{
    const struct wire_release *release = record;
    bool fits = release->relation <= WIRE_RELATION_MEMBER && release->site <= WIRE_SITE_MOST &&
                release->born <= WIRE_SITE_MOST && release->release <= WIRE_SITE_MOST &&
                amount_fits(release->blocks);
    return fits ? NULL : RANGE_WRONG;
}

static const char *given_check(const void *record)
{
    const struct wire_given *given = record;
    bool fits = given->site <= WIRE_SITE_MOST && given->order <= GIVEN_ORDERS && given->held <= 1 &&
                given->argument < ARGUMENTS && given->frame_count <= WIRE_FRAMES_MAX;
    return fits ? NULL : RANGE_WRONG;
}

static const char *heap_check(const void *record)
{
    const struct wire_heap_error *error = record;
    bool fits = error->kind >= WIRE_HEAP_OVERRUN && error->kind <= WIRE_HEAP_SIZE &&
                error->born_count <= WIRE_FRAMES_MAX && error->freed_count <= WIRE_FRAMES_MAX &&
                error->here_count <= WIRE_FRAMES_MAX;
    return fits ? NULL : RANGE_WRONG;
}

static const char *children_check(const void *record)
{
    const struct wire_children *children = record;
    return text_ends(children->program, sizeof children->program) ? NULL : TEXT_OPEN;
}

#define DURING(op) (1u << (op))
#define ANY_TIME   UINT32_MAX

/* By type: the size that it has (a SITE may be shorter), its own check, and while which commands it
 * may come (bit 0: while none is being answered). */
static const struct kind {
    uint32_t bytes;
    const char *(*check)(const void *record);
    uint32_t during;
} kinds[] = {
    [WIRE_HELLO] = {sizeof(struct wire_hello), hello_check, DURING(WIRE_OP_NONE)},
    [WIRE_MODULE] = {sizeof(struct wire_module), module_check, ANY_TIME},
    [WIRE_TEST_NAME] = {sizeof(struct wire_test_name), name_check, DURING(WIRE_OP_NONE)},
    [WIRE_READY] = {sizeof(struct wire_ready), ready_check, DURING(WIRE_OP_NONE)},
    [WIRE_SAMPLE] = {sizeof(struct wire_sample), sample_check,
                     DURING(WIRE_OP_NONE) | DURING(WIRE_OP_RUN)},
    [WIRE_TEST] = {sizeof(struct wire_test), test_check,
                   DURING(WIRE_OP_NONE) | DURING(WIRE_OP_RUN)},
    [WIRE_SITE] = {sizeof(struct wire_site), site_check,
                   DURING(WIRE_OP_RUN) | DURING(WIRE_OP_SITES) | DURING(WIRE_OP_RELEASES)},
    [WIRE_FAMILY] = {sizeof(struct wire_family), family_check, DURING(WIRE_OP_RUN)},
    [WIRE_SURVIVOR] = {sizeof(struct wire_survivor), survivor_check, DURING(WIRE_OP_SURVIVORS)},
    [WIRE_HELD] = {sizeof(struct wire_held), held_check, DURING(WIRE_OP_SCAN)},
    [WIRE_COUNTER] = {sizeof(struct wire_counter), counter_check,
                      DURING(WIRE_OP_NONE) | DURING(WIRE_OP_FINISH)},
    [WIRE_HISTOGRAM] = {sizeof(struct wire_histogram), histogram_check,
                        DURING(WIRE_OP_NONE) | DURING(WIRE_OP_FINISH)},
    [WIRE_NOTE] = {sizeof(struct wire_note), note_check, ANY_TIME},
    [WIRE_DONE] = {sizeof(struct wire_done), done_check, ~DURING(WIRE_OP_NONE)},
    [WIRE_BYE] = {sizeof(struct wire_record), bye_check, DURING(WIRE_OP_NONE)},
    [WIRE_RELEASE] = {sizeof(struct wire_release), release_check, DURING(WIRE_OP_RELEASES)},
    [WIRE_CHILDREN] = {sizeof(struct wire_children), children_check,
                       DURING(WIRE_OP_NONE) | DURING(WIRE_OP_RUN)},
    [WIRE_HEAP_ERROR] = {sizeof(struct wire_heap_error), heap_check,
                         DURING(WIRE_OP_NONE) | DURING(WIRE_OP_RUN)},
    [WIRE_GIVEN_TO] = {sizeof(struct wire_given), given_check, DURING(WIRE_OP_RUN)},
};

static const struct kind *kind_of(const struct wire_record *record)
{
    bool known = record->type < sizeof kinds / sizeof kinds[0] && kinds[record->type].check;
    return known ? &kinds[record->type] : NULL;
}

uint32_t wire_record_bytes(uint32_t type)
{
    return type < sizeof kinds / sizeof kinds[0] ? kinds[type].bytes : 0;
}

const char *wire_record_check(const struct wire_record *record)
{
    const struct kind *kind = kind_of(record);
    if (!kind) {
        return "a record is of no known type";
    }
    bool fits =
        record->bytes == kind->bytes || (record->type == WIRE_SITE && record->bytes < kind->bytes &&
                                         record->bytes >= offsetof(struct wire_site, frames));
    return fits ? kind->check(record) : SIZE_WRONG;
}

void wire_dialogue_ask(struct wire_dialogue *dialogue, const struct wire_command *command,
                       uint32_t sequence)
{
    dialogue->command = *command;
    dialogue->sequence = sequence;
    dialogue->samples = 0;
    dialogue->answered = false;
}

/* One for each repetition, and one after the wait. */
static uint64_t boundaries_most(const struct wire_command *command)
{
    return (uint64_t)(command->repetitions > 0 ? command->repetitions : 1) + 1;
}

/* A SAMPLE or a TEST: of the test that was asked for, where one was. */
static const char *result_expected(struct wire_dialogue *dialogue, const struct wire_record *record)
{
    const struct wire_sample *sample = (const struct wire_sample *)record;
    uint32_t test =
        record->type == WIRE_SAMPLE ? sample->test : ((const struct wire_test *)record)->test;
    const struct wire_command *command = &dialogue->command;
    if (test >= dialogue->names) {
        return "a record is of a test that was never announced";
    }
    bool chosen = command->op == WIRE_OP_RUN && command->test != WIRE_NO_TEST;
    if (!chosen) {
        dialogue->begun = dialogue->begun == test + 1 ? 0 : dialogue->begun;
        return dialogue->passive ? NULL : "a record has a result that nobody asked for";
    }
    if (test != command->test || dialogue->answered) {
        return "a record has a result that nobody asked for";
    }
    if (record->type == WIRE_TEST) {
        dialogue->answered = true;
    } else {
        dialogue->samples += sample->boundaries;
        if ((uint64_t)sample->repetition + 1 != dialogue->samples ||
            dialogue->samples > boundaries_most(command)) {
            return "a record is of a repetition that was not next";
        }
    }
    return NULL;
}

static const char *aside_expected(const struct wire_dialogue *dialogue, uint32_t test)
{
    const struct wire_command *command = &dialogue->command;
    bool chosen = command->op == WIRE_OP_RUN && command->test != WIRE_NO_TEST;
    return chosen && test != command->test ? "a record is of a test that does not run" : NULL;
}

static const char *name_expected(struct wire_dialogue *dialogue, const struct wire_test_name *name)
{
    if (name->test > dialogue->names) {
        return "a record announces a test that is not next";
    }
    if (name->test == dialogue->names) {
        dialogue->names++;
    }
    dialogue->begun = name->test + 1;
    return NULL;
}

static const char *ready_expected(struct wire_dialogue *dialogue, const struct wire_ready *ready)
{
    if (ready->first > dialogue->names || ready->count > dialogue->names - ready->first) {
        return "a record offers tests that were never announced";
    }
    dialogue->passive = dialogue->passive || ready->count == 0;
    return NULL;
}

static const char *done_expected(struct wire_dialogue *dialogue, const struct wire_done *done)
{
    if (done->op != dialogue->command.op || done->sequence != dialogue->sequence) {
        return "a record answers a question that was not asked";
    }
    dialogue->command.op = WIRE_OP_NONE;
    return NULL;
}

const char *wire_dialogue_check(struct wire_dialogue *dialogue, const struct wire_record *record)
{
    const struct kind *kind = kind_of(record);
    if (!kind || (kind->during & DURING(dialogue->command.op)) == 0) {
        return "a record came when nobody asked for it";
    }
    switch (record->type) {
    case WIRE_HELLO:
        if (dialogue->greeted) {
            return "a record greets a second time";
        }
        dialogue->greeted = true;
        return NULL;
    case WIRE_HEAP_ERROR:
        return aside_expected(dialogue, ((const struct wire_heap_error *)record)->test);
    case WIRE_CHILDREN:
        return aside_expected(dialogue, ((const struct wire_children *)record)->test);
    case WIRE_MODULE:
    case WIRE_NOTE:
        return ++dialogue->asides > ASIDES_MOST ? "a record is one of too many of its type" : NULL;
    case WIRE_TEST_NAME:
        return name_expected(dialogue, (const struct wire_test_name *)record);
    case WIRE_READY:
        return ready_expected(dialogue, (const struct wire_ready *)record);
    case WIRE_SAMPLE:
    case WIRE_TEST:
        return result_expected(dialogue, record);
    case WIRE_DONE:
        return done_expected(dialogue, (const struct wire_done *)record);
    default:
        return NULL;
    }
}

void wire_end_get(const struct wire *wire, struct wire_end *end)
{
    const struct wire_crash *crash = &wire->crash;
    uint32_t signal = atomic_load(&crash->signal);
    uint32_t count = *(const volatile uint32_t *)&crash->frame_count;
    *end = (struct wire_end){.signal = signal < NSIG ? signal : 0,
                             .exited = atomic_load(&crash->exited) != 0,
                             .refused = atomic_load(&crash->refused),
                             .frame_count = count <= WIRE_CRASH_MAX ? count : WIRE_CRASH_MAX};
    memcpy(end->frames, crash->frames, sizeof end->frames);
}

size_t wire_heap_left(const struct wire *wire, struct wire_heap_error *errors)
{
    size_t count = 0;
    for (size_t i = 0; i < WIRE_HEAP_MOST; i++) {
        if (atomic_load(&wire->heap.filled[i]) == 1) {
            errors[count] = wire->heap.errors[i];
            count += errors[count].head.type == WIRE_HEAP_ERROR &&
                     wire_record_check(&errors[count].head) == NULL;
        }
    }
    return count;
}
