/* cache_advice.c - see cache_advice.h. Anywhere. */
#include "registry/tiered/cache_advice.h"

static const char *const texts[ADVICES] = {
    [ADVICE_PROCESS_DIES] =
        "The cache lives in a process that dies with each request: its hit rate is 0 by "
        "construction, whatever the TTL. Put a level outside the process.",
    [ADVICE_PROCESS_SHORT] =
        "Processes end before their cached values do: a level outside the process would serve what "
        "each of them loads again.",
    [ADVICE_TTL_BELOW_POLL] =
        "The TTL is shorter than the time between two look-ups of a key: almost every look-up "
        "comes too late. It must be a multiple of that time.",
    [ADVICE_TTL_LONGER] = "Raise the TTL, or refresh before expiry.",
    [ADVICE_EVICTED] = "Entries are pushed out before they expire: raise the bound, not the TTL.",
    [ADVICE_OUTAGE] = "A level was away: look after it before tuning anything.",
    [ADVICE_FASTER_LEVEL] = "Hits take more than 100 ms: put Redis in front of the database.",
    [ADVICE_SLOW_DESPITE] =
        "Hits take more than 100 ms although a faster level is there: look at its hit rate and at "
        "the size of the values.",
    [ADVICE_SWEEP] = "Expired rows pile up: schedule the sweep.",
};

const char *advice_text(enum advice advice)
{
    return texts[advice];
}

double advice_ttl_for(double interval_s, double hit_rate)
{
    return hit_rate / (1 - hit_rate) * interval_s; /* h = n / (1 + n), n look-ups in a TTL */
}

/* One cause for a low hit rate, the one that hides the others first. */
static enum advice cause_of(const struct advice_figures *f)
{
    if (f->outages) {
        return ADVICE_OUTAGE;
    }
    if (!f->shared && f->processes >= f->lookups) {
        return ADVICE_PROCESS_DIES;
    }
    /* Look-ups a process had, against those that fall into a TTL. */
    if (!f->shared && f->processes > 1 && f->interval_s > 0 &&
        (double)f->lookups / (double)f->processes < f->ttl_s / f->interval_s) {
        return ADVICE_PROCESS_SHORT;
    }
    if (f->evicted * 2 > f->lookups - f->hits) {
        return ADVICE_EVICTED;
    }
    return f->ttl_s < f->interval_s ? ADVICE_TTL_BELOW_POLL : ADVICE_TTL_LONGER;
}

void advice_give(const struct advice_figures *f, bool given[ADVICES])
{
    for (unsigned i = 0; i < ADVICES; i++) {
        given[i] = false;
    }
    given[ADVICE_OUTAGE] = f->outages > 0;
    if (f->lookups > 0 && (double)f->hits < 0.8 * (double)f->lookups) {
        given[cause_of(f)] = true;
    }
    if (f->hits > 0 && f->cached_ms > 100) {
        given[f->redis ? ADVICE_SLOW_DESPITE : ADVICE_FASTER_LEVEL] = true;
    }
    given[ADVICE_SWEEP] = f->expired_unswept > 0;
}
