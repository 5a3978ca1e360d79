/*
 * tiered_report.h - the figures of a tiered cache for people's tools: JSON and OpenMetrics.
 * hit_rate, miss_rate, avg_response_time_cached and _uncached (ms), cache_size_mb (of the level
 * with the log) and expired_entries_cleaned are the six that the incident's report names. What was
 * not measured is null, and left out of OpenMetrics.
 */
#ifndef TIERED_REPORT_H
#define TIERED_REPORT_H

#include "registry/tiered/tiered_alert.h"

#include <stdio.h>

struct tiered_figures { /* NAN: not measured */
    double hit_rate, miss_rate, cached_ms, uncached_ms, size_mb;
    uint64_t expired_cleaned;
};

/* `bytes` of the log's level; UINT64_MAX: unknown. */
struct tiered_figures tiered_figures(const struct tiered_statistics *statistics, uint64_t bytes);
void tiered_report_json(const struct tiered_statistics *statistics, uint64_t bytes, FILE *out);
/* Ends with "# EOF". */
void tiered_report_openmetrics(const struct tiered_statistics *statistics, uint64_t bytes,
                               const struct tiered_alert *alerts, size_t alert_count, FILE *out);

#endif
