/* difference_site.h - which call sites keep more or less than before. Supervisor only. */
#ifndef REPORT_DIFFERENCE_SITE_H
#define REPORT_DIFFERENCE_SITE_H

#include "harness/base/text.h"
#include "harness/result/result.h"

/* Appends lines "+3 blocks, +64 B in parse_key (registry.c:88)" for the sites of a test that
 * differ, largest change first, at most five. `base` NULL: all of the head's are new. *top (NULL:
 * not wanted) is set to the place of the first, and left alone if there is none. */
void difference_sites(struct text *text, const struct result *base_result,
                      const struct result_test *base, const struct result *head_result,
                      const struct result_test *head, const struct result_frame **top);

/* The first place that leaks or grows in this test and did not before: one may have come in a test
 * that grew already. NULL: there is none. */
const struct result_frame *difference_place_new(const struct result *base_result,
                                                const struct result_test *base,
                                                const struct result *head_result,
                                                const struct result_test *head);

#endif
