/* children_outcome.c - see children_outcome.h. */
#include "harness/boundary/children_outcome.h"

#include "harness/boundary/boundary.h"
#include "harness/ledger/children.h"

#include <string.h>

void children_outcome_reset(struct wire_children *children, uint32_t test)
{
    WIRE_INIT(children, WIRE_CHILDREN);
    children->test = test;
}

void children_outcome_begin(struct wire_children *children, uint32_t test)
{
    struct children before;
    children_take(&before);
    children_outcome_reset(children, test);
}

void children_outcome_take(struct wire_children *children)
{
    struct children now;
    children_take(&now);
    children->forked = now.forked > children->forked ? now.forked : children->forked;
    children->followed = now.followed > children->followed ? now.followed : children->followed;
    if (now.programs > children->programs) {
        children->programs = now.programs;
        memcpy(children->program, now.program, sizeof children->program);
    }
}

void children_outcome_put(struct wire_children *children)
{
    if (children->forked > 0 || children->followed > 0 || children->programs > 0) {
        wire_put(boundary_wire, children);
    }
}
