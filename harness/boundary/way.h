/*
 * way.h - finds out how the boundaries of this program can be known (DESIGN 3), best way first,
 * before main. Runs in the worker's constructor.
 */
#ifndef BOUNDARY_WAY_H
#define BOUNDARY_WAY_H

#include "harness/base/wire.h"

/* Redirects the program's own copy of libcheck to the engine. False when it has none in its symbol
 * table; true also says how many functions stayed as they were for want of room. */
bool way_symtab_take(uint32_t *left);

/* Lets the exported libcheck names reach the engine (true) or the shared libcheck behind them. */
void way_dynamic_set(bool engine);

/* The way that WIRE_WAY_ENV asks for, WIRE_WAY_NONE when it does not. */
enum wire_way way_wished(void);

/* True for shells, env, make and the like: programs on the way to the test program. */
bool way_is_launcher(void);

#endif
