/*
 * cost.h - what requests cost on a platform that bills memory by time: GB-hours are GB x seconds /
 * 3,600, dollars at 0.18 a GB-hour (the rate that the report's two sums have in common).
 */
#ifndef SERVERLESS_COST_H
#define SERVERLESS_COST_H

#define COST_PER_GB_HOUR 0.18

double cost_gb_hours(double seconds, double gigabytes);
/* Of so many requests, `misses` of which take miss_s and the others hit_s. */
double cost_day_gb_hours(double requests, double misses, double hit_s, double miss_s,
                         double gigabytes);
double cost_saved_percent(double before, double after);

#endif
