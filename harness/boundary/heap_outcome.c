/* heap_outcome.c - see heap_outcome.h. */
#include "harness/boundary/heap_outcome.h"

#include "harness/boundary/boundary.h"
#include "harness/ledger/heap_error.h"

bool heap_outcome_take(uint32_t test, struct outcome *outcome)
{
    static char message[256];
    bool any = heap_error_put(boundary_wire, test, message, sizeof message) > 0;
    if (any && (outcome->status == WIRE_PASS || outcome->status == WIRE_SKIP)) {
        outcome->status = WIRE_FAIL;
        outcome->message = message;
    }
    return any;
}
