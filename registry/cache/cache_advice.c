/* cache_advice.c - see cache_advice.h. Anywhere. */
#include "registry/cache_advice.h"

static const char *const texts[REGISTRY_ADVICES] = {
    [REGISTRY_ADVICE_PROCESS_DIES] =
        "The cache lives in a process that dies with each request: its hit rate is 0 by "
        "construction, whatever the TTL. Put a level outside the process.",
    [REGISTRY_ADVICE_PROCESS_SHORT] =
        "Processes end before their cached values do: a level outside the process would serve what "
        "each of them loads again.",
    [REGISTRY_ADVICE_TTL_BELOW_POLL] =
        "The TTL is shorter than the time between two look-ups of a key: almost every look-up "
        "comes too late. It must be a multiple of that time.",
    [REGISTRY_ADVICE_TTL_LONGER] = "Raise the TTL, or refresh before expiry.",
    [REGISTRY_ADVICE_EVICTED] =
        "Entries are pushed out before they expire: raise the bound, not the TTL.",
    [REGISTRY_ADVICE_OUTAGE] = "A level was away: look after it before tuning anything.",
    [REGISTRY_ADVICE_FASTER_LEVEL] =
        "Hits take more than 100 ms: put Redis in front of the database.",
    [REGISTRY_ADVICE_SLOW_DESPITE] =
        "Hits take more than 100 ms although a faster level is there: look at its hit rate and at "
        "the size of the values.",
    [REGISTRY_ADVICE_SWEEP] = "Expired rows pile up: schedule the sweep.",
};

const char *registry_advice_text(enum registry_advice advice)
{
    return texts[advice];
}

double registry_advice_ttl_for(double interval_s, double hit_rate)
{
    return hit_rate / (1 - hit_rate) * interval_s; /* h = n / (1 + n), n look-ups in a TTL */
}

/* One cause for a low hit rate, the one that hides the others first. */
static enum registry_advice cause_of(const struct registry_advice_figures *f)
{
    if (f->outages) {
        return REGISTRY_ADVICE_OUTAGE;
    }
    if (!f->shared && f->processes >= f->lookups) {
        return REGISTRY_ADVICE_PROCESS_DIES;
    }
    /* Look-ups a process had, against those that fall into a TTL. */
    if (!f->shared && f->processes > 1 && f->interval_s > 0 &&
        (double)f->lookups / (double)f->processes < f->ttl_s / f->interval_s) {
        return REGISTRY_ADVICE_PROCESS_SHORT;
    }
    if (f->evicted * 2 > f->lookups - f->hits) {
        return REGISTRY_ADVICE_EVICTED;
    }
    return f->ttl_s < f->interval_s ? REGISTRY_ADVICE_TTL_BELOW_POLL : REGISTRY_ADVICE_TTL_LONGER;
}

void registry_advice_give(const struct registry_advice_figures *f, bool given[REGISTRY_ADVICES])
{
    for (unsigned i = 0; i < REGISTRY_ADVICES; i++) {
        given[i] = false;
    }
    given[REGISTRY_ADVICE_OUTAGE] = f->outages > 0;
    if (f->lookups > 0 && (double)f->hits < 0.8 * (double)f->lookups) {
        given[cause_of(f)] = true;
    }
    if (f->hits > 0 && f->cached_ms > 100) {
        given[f->redis ? REGISTRY_ADVICE_SLOW_DESPITE : REGISTRY_ADVICE_FASTER_LEVEL] = true;
    }
    given[REGISTRY_ADVICE_SWEEP] = f->expired_unswept > 0;
}
