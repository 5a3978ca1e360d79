/*
 * endpoints.h - the endpoints of the report, as data for the tiered cache: the times of its table
 * CACHE_STRATEGIES, and the events both of that table and of its class CacheInvalidationManager.
 */
#ifndef SERVERLESS_ENDPOINTS_H
#define SERVERLESS_ENDPOINTS_H

#include "registry/tiered/tiered_endpoint.h"

extern const struct tiered_endpoints serverless_endpoints;

#endif
