/* difference_birth.h - which call sites allocate more or less often than before, whatever becomes
 * of what they allocate. Supervisor only. */
#ifndef REPORT_DIFFERENCE_BIRTH_H
#define REPORT_DIFFERENCE_BIRTH_H

#include "harness/base/text.h"
#include "harness/report/wrapper.h"
#include "harness/result/result.h"

/* Appends lines "+3 allocations in parse_key (registry.c:88), through xmalloc, from load", largest
 * change first, at most five; where the head's second run (NULL: none) has other numbers than its
 * first, "[unstable]" stands behind. *top (NULL: not wanted) is set to the place of the first, and
 * left alone if there is none. Returns false if one of the results does not know where this test
 * allocates. */
bool difference_births(struct text *text, const struct wrappers *wrappers,
                       const struct result *base_result, const struct result_test *base,
                       const struct result *head_result, const struct result_test *head,
                       const struct result *again_result, const struct result_test *again,
                       const struct result_frame **top);

/* Are two stacks the same but for their lines, folders and addresses? */
bool difference_stack_same(const struct result_frame *a, size_t a_count,
                           const struct result_frame *b, size_t b_count);

#endif
