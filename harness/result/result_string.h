/* result_string.h - the strings of each struct of a result, once, as lists of their slots: for
 * start and end of life, and for whatever is done to all of them. Internal to harness/result.
 * Supervisor only. */
#ifndef RESULT_RESULT_STRING_H
#define RESULT_RESULT_STRING_H

#include "harness/result/result.h"

#define RESULT_STRINGS(r)                                                                          \
    (char **const[]){&(r)->tool_version, &(r)->command,  &(r)->argv,    &(r)->host,                \
                     &(r)->allocator,    &(r)->cap_kind, &(r)->started, &(r)->scenario,            \
                     &(r)->suite,        &(r)->way_in,   &(r)->shard,   &(r)->partition,           \
                     &(r)->reason,       &(r)->filter,   &(r)->program},                           \
        15
#define TEST_STRINGS(t)                                                                            \
    (char **const[]){&(t)->id,      &(t)->variant,  &(t)->message,       &(t)->file,               \
                     &(t)->horizon, &(t)->order_by, &(t)->order_message, &(t)->program},           \
        8
#define SITE_STRINGS(s) (char **const[]){&(s)->test, &(s)->variant, &(s)->kind}, 3
#define VARIANT_STRINGS(v)                                                                         \
    (char **const[]){&(v)->name,       &(v)->horizon, &(v)->projection,                            \
                     &(v)->stopped_by, &(v)->culprit, &(v)->shard},                                \
        6
#define EXPECT_STRINGS(e)                                                                          \
    (char **const[]){&(e)->variant, &(e)->metric, &(e)->limit, &(e)->actual, &(e)->file}, 5
#define FRAME_STRINGS(f) (char **const[]){&(f)->function, &(f)->file, &(f)->module}, 3
#define LINK_STRINGS(l)  (char **const[]){&(l)->symbol, &(l)->field, &(l)->module}, 3

#endif
