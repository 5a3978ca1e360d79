/*
 * workload.h - which model is looked up next. Made once, before any test, without heap.
 */
#ifndef SUITE_WORKLOAD_H
#define SUITE_WORKLOAD_H

#include <stdint.h>

/* Prepares the distribution that suite_options asks for, over `models` models. */
void workload_init(uint32_t models);

/* Number of the model of look-up `i`: the same for every test, every run, every thread. */
uint32_t workload_pick(uint32_t i);

#endif
