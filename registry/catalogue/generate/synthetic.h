/*
 * synthetic.h - models made up by a seeded generator, to bring a catalogue to a wanted size. They
 * carry `set: synthetic` and providers named synthetic-...; nothing about them is real but the
 * shape (length of keys, shared prefixes, fields that are absent). The same seed gives the same
 * models. Build time only.
 */
#ifndef GENERATE_SYNTHETIC_H
#define GENERATE_SYNTHETIC_H

#include "registry/catalogue/generate/catalogue.h"

#define SYNTHETIC_SEED 20251121u

/* Adds models until there are `count`; none when there are as many already. */
void synthetic_fill(struct catalogue *catalogue, size_t count, uint64_t seed);

#endif
