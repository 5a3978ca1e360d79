/*
 * growers.h - which places a repeated test is accused of: what grows at a place, what a kind of
 * things grows by without growing at any one place, and what merely rose. Supervisor only.
 */
#ifndef CAMPAIGN_GROWERS_H
#define CAMPAIGN_GROWERS_H

#include "harness/campaign/repeat.h"

/* Rates, sites and order of the places, when all calls were made. repeat_growers says how many at
 * the front are meant. */
void growers_conclude(struct repeat *repeat, const struct repeat_ask *ask);

#endif
