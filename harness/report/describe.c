/* describe.c - see describe.h: frames, metrics, findings. describe_site.c has what stays,
 * describe_closing.c the sentences about whole variants. Supervisor only. */
#include "harness/report/describe.h"
#include "harness/base/unit.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void describe_frame(struct text *text, const struct result_frame *frame)
{
    if (frame->function[0]) {
        text_put(text, frame->function);
    }
    if (frame->file[0]) {
        text_format(text, frame->function[0] ? " (%s" : "%s", frame->file);
        if (frame->line) {
            text_format(text, ":%u", frame->line);
        }
        text_put(text, frame->function[0] ? ")" : "");
        return;
    }
    const char *module = frame->module[0] ? basename(frame->module) : "?";
    if (frame->offset == 0) { /* not known */
        text_format(text, frame->function[0] ? " (%s)" : "%s", module);
        return;
    }
    text_format(text, frame->function[0] ? " (%s+0x%" PRIx64 ")" : "%s+0x%" PRIx64, module,
                frame->offset);
}

size_t describe_frames_own(const struct result_frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(frames[i].function, "main") == 0) {
            return i + 1;
        }
    }
    return count;
}

/* In a library of the system's: such a frame is shown, it may be what crashed. */
static bool is_library(const struct result_frame *frame)
{
    return strncmp(frame->module, "/lib", 4) == 0 || strncmp(frame->module, "/usr/lib", 8) == 0;
}

static bool is_header(const struct result_frame *frame)
{
    struct result_frame alone = *frame; /* borrowed, without its module */
    static char none[] = "";
    alone.module = none;
    return result_frame_system(&alone) && (frame->module[0] == '\0' || !is_library(frame));
}

bool describe_frame_folded(const struct result_frame *frames, size_t count, size_t at)
{
    bool others = false;
    for (size_t i = 0; i < count; i++) {
        others = others || !is_header(&frames[i]);
    }
    return others && is_header(&frames[at]);
}

const struct result_frame *describe_place(const struct result_frame *frames, size_t count)
{
    const struct result_frame *place = NULL;
    for (size_t i = 0; i < count; i++) {
        if (frames[i].file[0] && frames[i].line) {
            if (!result_frame_system(&frames[i])) {
                return &frames[i];
            }
            place = place ? place : &frames[i];
        }
    }
    if (place) {
        return place;
    }
    return count > 0 ? &frames[0] : NULL;
}

void describe_metric(struct text *text, enum result_metric metric, double value)
{
    char number[UNIT_TEXT_BYTES];
    if (isnan(value)) {
        text_put(text, "-");
        return;
    }
    switch (result_metrics[metric].kind) {
    case METRIC_KIND_BYTES:
        text_put(text, unit_bytes(number, value));
        break;
    case METRIC_KIND_NS:
        text_put(text, unit_ns(number, value));
        break;
    case METRIC_KIND_RATIO:
        text_put(text, unit_ratio(number, value));
        break;
    case METRIC_KIND_COUNT:
    case METRIC_KIND_PER:
        text_put(text, unit_count(number, value));
        break;
    }
}

const char *describe_variant_beside(const char *id, const char *variant)
{
    size_t length = strlen(variant);
    bool has = strncmp(id, variant, length) == 0 && (id[length] == '/' || id[length] == '\0');
    return has ? "" : variant;
}

static bool changed(enum result_metric metric, const struct result_variant *reference,
                    const struct result_variant *variant)
{
    double from = reference->metric[metric], to = variant->metric[metric];
    if (isnan(from) || isnan(to) || from == to) {
        return false;
    }
    enum metric_kind kind = result_metrics[metric].kind;
    if (kind == METRIC_KIND_COUNT || kind == METRIC_KIND_PER) {
        return true;
    }
    bool intervals = !isnan(reference->low[metric]) && !isnan(variant->low[metric]);
    if (intervals) {
        return variant->low[metric] > reference->high[metric] * 1.01 ||
               variant->high[metric] < reference->low[metric] * 0.99;
    }
    /* One pass says nothing about a time; resident memory of one pass repeats well enough. */
    return kind == METRIC_KIND_BYTES && fabs(to - from) > 0.01 * fabs(from);
}

void describe_change(struct text *text, enum result_metric metric,
                     const struct result_variant *reference, const struct result_variant *variant)
{
    double from = reference->metric[metric], to = variant->metric[metric];
    if (!changed(metric, reference, variant) || from <= 0 || to < 0) {
        return;
    }
    double ratio = to / from;
    if (ratio >= 10) {
        text_format(text, "x%.0f", ratio);
    } else if (ratio > 0 && ratio < 0.005) { /* next to nothing is not nothing */
        text_format(text, "-%.1f %%", fmin((1 - ratio) * 100, 99.9));
    } else if (fabs(ratio - 1) >= 0.0005) {
        text_format(text, "%+.*f %%", fabs(ratio - 1) < 0.0995 ? 1 : 0, (ratio - 1) * 100);
    }
}

bool describe_test_finding(const struct result *result, const struct result_test *test)
{
    if (test->status != RESULT_PASS) {
        return test->status != RESULT_SKIP;
    }
    if (result_memcheck_bad(test->memcheck)) {
        return true;
    }
    if (!result_verdict_bad(test->verdict) && test->verdict != VERDICT_INCONCLUSIVE) {
        return false;
    }
    for (size_t i = 0; i < result->variant_count && strcmp(result->command, "hunt") != 0; i++) {
        if (result_verdict_bad(result->variants[i].verdict) &&
            strcmp(result->variants[i].name, test->variant) == 0) {
            return false;
        }
    }
    return true;
}

void describe_signal(struct text *text, int signal)
{
    const char *name = sigabbrev_np(signal);
    if (name) {
        text_format(text, "SIG%s", name);
    } else {
        text_format(text, "signal %d", signal);
    }
}

static void death_put(struct text *text, const struct result *result,
                      const struct result_test *test)
{
    char size[UNIT_TEXT_BYTES];
    switch (test->status) {
    case RESULT_FAIL:
        text_put(text, "failed");
        break;
    case RESULT_CRASH:
        if (!test->signal && test->message[0]) {
            text_put(text, test->message); /* it was ended for what it did */
            return;
        }
        text_put(text, "died of ");
        if (test->signal) {
            describe_signal(text, test->signal);
        } else {
            text_put(text, "an unknown cause");
        }
        break;
    case RESULT_TIMEOUT:
        text_put(text, "ran into the time limit");
        break;
    case RESULT_OOM:
        text_put(text, "ran out of memory");
        if (result->cap > 0) {
            text_format(text, " at the cap of %s", unit_limit(size, (uint64_t)result->cap));
        }
        break;
    case RESULT_EXIT:
        text_put(text, "ended the program");
        break;
    case RESULT_FLAKY:
        text_put(text, "failed at times");
        break;
    case RESULT_PASS:
    case RESULT_SKIP:
    case RESULT_STATUS_COUNT:
        return;
    }
    const struct result_frame *place = describe_place(test->frames, test->frame_count);
    if (place) {
        text_put(text, " in ");
        describe_frame(text, place);
    }
    if (test->message[0]) {
        text_format(text, ": %s", test->message);
    }
    if (test->file[0] && !place) {
        text_format(text, test->line ? " (%s:%u)" : " (%s)", test->file, test->line);
    }
}

/* "leaks 1 thread a repetition", "leaks 64 B a repetition, 1 thread a repetition" */
static void counted_put(struct text *text, const struct result_test *test, int64_t count,
                        const char *word)
{
    bool first = (test->verdict == VERDICT_LEAK || test->verdict == VERDICT_GROWTH) &&
                 strchr(text->data, ' ') == NULL;
    if (count != 0) {
        text_format(text, "%s %" PRId64 " %s%s a repetition", first ? "" : ",", count, word,
                    describe_plural(word, count));
    }
}

const char *describe_verdict_verb(enum result_verdict verdict)
{
    static const char *const verbs[VERDICT_COUNT] = {
        [VERDICT_NONE] = "was not judged",
        [VERDICT_CLEAN] = "levels off",
        [VERDICT_LEAK] = "leaks",
        [VERDICT_GROWTH] = "grows",
        [VERDICT_ACCUMULATES] = "accumulates with every new input",
        [VERDICT_SATURATING] = "fills up and stops",
        [VERDICT_INCONCLUSIVE] = "could not be judged",
    };
    return verbs[verdict];
}

/* What the test itself came to, without memcheck. */
static void verdict_put(struct text *text, const struct result *result,
                        const struct result_test *test)
{
    char size[UNIT_TEXT_BYTES];
    if (test->status != RESULT_PASS && test->status != RESULT_SKIP) {
        death_put(text, result, test);
        return;
    }
    text_put(text, test->status == RESULT_SKIP ? "skipped" : describe_verdict_verb(test->verdict));
    if (!isnan(test->growth_bytes_per_rep) && test->growth_bytes_per_rep != 0) {
        bool first = test->verdict == VERDICT_LEAK || test->verdict == VERDICT_GROWTH;
        text_format(text, first ? " %s a repetition" : ", %s a repetition",
                    unit_bytes(size, test->growth_bytes_per_rep));
    } else if (result_verdict_bad(test->verdict) && test->retained_bytes > 0) {
        text_format(text, ", %s kept", unit_bytes(size, (double)test->retained_bytes));
    }
    counted_put(text, test, test->fds, "file descriptor");
    counted_put(text, test, test->threads, "thread");
    counted_put(text, test, test->children_left, "child process");
    if (result_verdict_bad(test->verdict) && strchr(text->data, ' ') == NULL) { /* no figure */
        size_t next = 0;
        const struct result_site *site = describe_site_next(result, test->id, test->variant, &next);
        const char *word = site ? describe_counted(site->kind) : NULL;
        if (word) {
            text_format(text, " %s%s", word, describe_plural(word, 2));
        }
    }
    if (test->status == RESULT_SKIP && test->message[0]) {
        text_format(text, ": %s", test->message);
    }
}

void describe_test(struct text *text, const struct result *result, const struct result_test *test)
{
    struct text memcheck = {0};
    verdict_put(text, result, test);
    describe_memcheck(&memcheck, test->memcheck);
    if (memcheck.length > 0) {
        text_format(text, "; memcheck: %s", memcheck.data);
    }
    text_fini(&memcheck);
}

void describe_skip(struct text *text, const struct result *result, const struct result_test *test)
{
    describe_test(text, result, test);
    if (test->status == RESULT_PASS && test->horizon[0]) {
        text_format(text, ": %s", test->horizon);
    }
}
