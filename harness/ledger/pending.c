/* pending.c - the scan arrives next; until then it answers nothing. */
#include "harness/ledger/ledger.h"

void ledger_scan_put(struct wire *wire, const uint32_t *sites, uint32_t site_count)
{
    (void)wire;
    (void)sites;
    (void)site_count;
}
