/* tiered_alert.c - see tiered_alert.h. Anywhere. */
#include "registry/tiered/tiered_alert.h"

#include <math.h>

#define LOOKUPS_LEAST 20u

static const char *const state_names[] = {
    [ALERT_UNKNOWN] = "unknown",
    [ALERT_QUIET] = "quiet",
    [ALERT_PENDING] = "pending",
    [ALERT_FIRING] = "firing",
};
#define STATES (sizeof state_names / sizeof state_names[0])

static void counters_take(struct tiered_alert *alert, const struct tiered_statistics *statistics,
                          uint64_t now_ns)
{
    alert->lookups = statistics->lookups;
    alert->hits = statistics->hits;
    alert->looked_ns = now_ns;
}

struct tiered_alert tiered_alert_begin(const struct tiered_alert_rule *rule,
                                       const struct tiered_statistics *statistics, uint64_t now_ns)
{
    struct tiered_alert alert = {.rule = *rule, .rate = NAN};
    if (!alert.rule.lookups) {
        alert.rule.lookups = LOOKUPS_LEAST;
    }
    counters_take(&alert, statistics, now_ns);
    return alert;
}

void tiered_alert_look(struct tiered_alert *alert, const struct tiered_statistics *statistics,
                       uint64_t now_ns)
{
    if (statistics->lookups < alert->lookups || now_ns < alert->looked_ns) {
        counters_take(alert, statistics, now_ns); /* another process's, or a clock that was set */
        return;
    }
    uint64_t lookups = statistics->lookups - alert->lookups;
    if (lookups < alert->rule.lookups) {
        return; /* they count with those that come */
    }
    alert->rate = (double)(statistics->hits - alert->hits) / (double)lookups;
    if (alert->rate >= alert->rule.below) {
        alert->state = ALERT_QUIET;
    } else {
        if (alert->state == ALERT_QUIET || alert->state == ALERT_UNKNOWN) {
            alert->since_ns = alert->looked_ns;
        }
        alert->state =
            now_ns - alert->since_ns >= alert->rule.for_ns ? ALERT_FIRING : ALERT_PENDING;
    }
    counters_take(alert, statistics, now_ns);
}

static void line_print(const struct tiered_alert *alert, uint64_t now_ns, FILE *out)
{
    fprintf(out, "%s: %s", alert->rule.name, state_names[alert->state]);
    if (!isnan(alert->rate)) {
        fprintf(out, ", hit rate %.1f %% (bound %.1f %%)", alert->rate * 100,
                alert->rule.below * 100);
    }
    if (alert->state == ALERT_PENDING || alert->state == ALERT_FIRING) {
        fprintf(out, ", too low for %.0f s", (double)(now_ns - alert->since_ns) / 1e9);
    }
    fputc('\n', out);
}

int tiered_alert_status(const struct tiered_alert *alerts, size_t count, uint64_t now_ns, FILE *out)
{
    size_t firing = 0, known = 0;
    for (size_t i = 0; i < count; i++) {
        firing += alerts[i].state == ALERT_FIRING;
        known += alerts[i].state != ALERT_UNKNOWN;
        if (out) {
            line_print(&alerts[i], now_ns, out);
        }
    }
    return firing > 0 ? 1 : known < count ? 3 : 0;
}

void tiered_alert_openmetrics(const struct tiered_alert *alerts, size_t count, FILE *out)
{
    if (count == 0) {
        return;
    }
    fputs("# TYPE tidemark_cache_alert stateset\n"
          "# HELP tidemark_cache_alert whether a hit rate is too low for too long\n",
          out);
    for (size_t i = 0; i < count; i++) {
        for (size_t s = 0; s < STATES; s++) {
            fprintf(out, "tidemark_cache_alert{rule=\"%s\",tidemark_cache_alert=\"%s\"} %d\n",
                    alerts[i].rule.name, state_names[s], alerts[i].state == s);
        }
    }
}
