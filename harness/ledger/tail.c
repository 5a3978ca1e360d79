/* tail.c - see tail.h. Runs in the worker. */
#include "harness/ledger/tail.h"

/* Would the allocator have answered such a request with this block? Only jemalloc's classes are
 * exact. */
static bool slack_plausible(size_t usable, size_t slack, size_t tail_bytes)
{
    if (slack > usable || slack < tail_bytes) {
        return false;
    }
    size_t asked = usable - slack + tail_bytes;
    return below.usable_of == NULL || below.usable_of(asked, 0) == usable;
}

bool tail_get(const void *block, size_t usable, struct tail *tail)
{
    if (usable == 0) {
        return false;
    }
    const unsigned char *mark = (const unsigned char *)block + usable - 1;
    size_t slack = *mark & (TAIL_TRACED - 1);
    tail->traced = (*mark & TAIL_TRACED) != 0;
    size_t tail_bytes = tail->traced ? TAIL_TRACED_BYTES : TAIL_BYTES;
    if (slack == TAIL_LONG) {
        if (usable < tail_bytes + 8) {
            return false;
        }
        uint64_t word;
        memcpy(&word, mark - (tail_bytes - 1) - 8, sizeof word);
        slack = (size_t)(word & 0xffffffffffffu);
        if (word >> 48 != 0x7d4e || slack < tail_bytes + 8 || slack > usable) {
            return false;
        }
    } else if (!slack_plausible(usable, slack, tail_bytes)) {
        return false;
    }
    if (tail->traced) {
        memcpy(&tail->record, mark - 4, sizeof tail->record);
    }
    tail->requested = usable - slack;
    return true;
}
