/* cost.c - see cost.h. Anywhere. */
#include "cost.h"

double cost_gb_hours(double seconds, double gigabytes)
{
    return seconds * gigabytes / 3600;
}

double cost_day_gb_hours(double requests, double misses, double hit_s, double miss_s,
                         double gigabytes)
{
    return cost_gb_hours(misses * miss_s + (requests - misses) * hit_s, gigabytes);
}

double cost_saved_percent(double before, double after)
{
    return 100 * (before - after) / before;
}
