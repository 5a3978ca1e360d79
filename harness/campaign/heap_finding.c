/* heap_finding.c - see heap_finding.h. Supervisor only. */
#include "harness/campaign/heap_finding.h"

#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/result/result_write.h"

#include <stdlib.h>
#include <string.h>

/* The first error says what was done; a later repetition's, from the same stack, may know more. */
static const struct wire_heap_error *best_of(const struct worker *worker)
{
    const struct wire_heap_error *best = &worker->heap[0];
    for (size_t i = 1; i < worker->heap_count; i++) {
        const struct wire_heap_error *next = &worker->heap[i];
        bool same = best->here_count > 0 && next->here_count == best->here_count &&
                    memcmp(next->here, best->here, best->here_count * sizeof best->here[0]) == 0;
        if (same && next->born_count + next->freed_count > best->born_count + best->freed_count) {
            best = next;
        }
    }
    return best;
}

/* ", allocated by session_open (main.c:7)": the innermost place outside of the system's libraries.
 */
static void place_put(struct text *text, const struct session *session, const char *what,
                      const uint64_t *frames, uint32_t count)
{
    uint32_t own = 0;
    struct result_frame *at = NULL;
    size_t found = 0;
    while (own < count && symbols_system(session->seen.symbols, frames[own] - 1)) {
        own++;
    }
    if (count == 0) {
        return;
    }
    symbols_stack(session->seen.symbols, frames[own < count ? own : 0], false, &at, &found);
    text_format(text, ", %s by %s", what, found > 0 && at[0].function[0] ? at[0].function : "?");
    if (found > 0 && at[0].line) {
        text_format(text, " (%s:%u)", at[0].file, at[0].line);
    }
    result_frames_free(at, found);
}

void heap_finding_fill(const struct session *session, struct result_test *test)
{
    const struct worker *worker = &session->link.worker;
    struct text text = {0};
    if (worker->heap_count == 0) {
        return;
    }
    const struct wire_heap_error *error = best_of(worker);
    char what[256];
    wire_heap_describe(&worker->heap[0], what, sizeof what);
    bool own_words = test->message[0] && strcmp(test->message, what) != 0;
    wire_heap_describe(error, what, sizeof what);
    text_put(&text, what);
    place_put(&text, session, "allocated", error->born, error->born_count);
    place_put(&text, session, "freed before", error->freed, error->freed_count);
    if (own_words) { /* of its assertion, or of its death */
        text_format(&text, "; %s", test->message);
    }
    result_set(&test->message, text_peek(&text));
    text_fini(&text);
    bool known = test->frame_count > 0; /* of its death */
    for (uint32_t i = 0; !known && i < error->here_count; i++) {
        symbols_stack(session->seen.symbols, error->here[i], false, &test->frames,
                      &test->frame_count);
    }
}

bool heap_finding_fail(struct session *session, uint32_t number, const char *message)
{
    struct result_test *test = session_result(session, number);
    if (session->link.worker.heap_count == 0 || !test) {
        return false;
    }
    if (test->status == RESULT_PASS) {
        test->status = RESULT_FAIL;
        test->verdict = VERDICT_NONE;
        result_set(&test->horizon, "");
        result_set(&test->message, message);
        heap_finding_fill(session, test);
        session_test_write(session, test);
    }
    return true;
}
