/* difference_part.h - what difference.c and difference_suite.c share. Supervisor only. */
#ifndef REPORT_DIFFERENCE_PART_H
#define REPORT_DIFFERENCE_PART_H

#include "harness/base/text.h"
#include "harness/report/difference.h"

struct change { /* of one test or suite, while its measures are gone through */
    struct text text;
    bool worse, warn, better, unstable;
    bool stays; /* something else than what one repetition allocates has changed */
    const struct result_frame *place; /* the cause, where it is known before the sites are */
};

/* A comma, if something stands before it. */
void difference_join(struct change *change);
/* One change from -> to; `again` is what a second run of the head says. */
void difference_word(struct change *change, const char *from, const char *to, const char *again,
                     int worse);
/* Higher is worse; equal ones are no difference. Inconclusive is no verdict: neither way. */
int difference_rank(enum result_verdict verdict);
/* Valid until the next; id and variant of the test are borrowed. */
struct difference *difference_add(struct differences *differences, enum difference_kind kind,
                                  const struct result_test *test);

void difference_suites(struct differences *differences, const struct result *base,
                       const struct result *head, const struct result *again, bool any_variant);
void difference_expects(struct differences *differences, const struct result *base,
                        const struct result *head);
/* Settles which of the differences are only the other side of a suite's. */
void difference_served(struct differences *differences);

#endif
