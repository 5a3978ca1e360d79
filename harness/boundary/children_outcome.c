/* children_outcome.c - see children_outcome.h. */
#include "harness/boundary/children_outcome.h"

#include "harness/boundary/boundary.h"
#include "harness/ledger/children.h"
#include "harness/meter/kernel.h"

#include <string.h>
#include <time.h>

#define LATE_STEP_NS 1000000u
#define LATE_STEPS   10

/* Of all that was taken since the reset: a child may end after the boundary. */
static uint32_t all_forked, all_done;

void children_outcome_reset(struct wire_children *children, uint32_t test)
{
    WIRE_INIT(children, WIRE_CHILDREN);
    children->test = test;
    all_forked = all_done = 0;
}

void children_outcome_begin(struct wire_children *children, uint32_t test)
{
    struct children before;
    children_begin();
    children_take(&before);
    children_outcome_reset(children, test);
}

void children_outcome_take(struct wire_children *children)
{
    struct children now;
    children_take(&now);
    uint32_t left = now.forked > now.done ? now.forked - now.done : 0;
    all_forked += now.forked;
    all_done += now.done;
    children->forked = left > children->forked ? left : children->forked;
    children->followed = now.followed > children->followed ? now.followed : children->followed;
    if (now.programs > children->programs) {
        children->programs = now.programs;
        memcpy(children->program, now.program, sizeof children->program);
    }
}

void children_outcome_put(struct wire_children *children)
{
    for (int i = 0; i < LATE_STEPS && all_forked > all_done; i++) { /* nobody waited for them */
        struct timespec step = {.tv_nsec = LATE_STEP_NS};
        kernel_call(SYS_nanosleep, (long)&step, 0, 0, 0, 0, 0);
        struct wire_children late = *children;
        children_outcome_take(&late);
        children->followed = late.followed;
    }
    children->forked = all_forked > all_done ? children->forked : 0;
    if (children->forked > 0 || children->followed > 0 || children->programs > 0) {
        wire_put(boundary_wire, children);
    }
}
