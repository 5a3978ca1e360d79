/*
 * endpoints.c - see endpoints.h. Anywhere. The report gives times for the first three; of the costs
 * and of the health it names only the endpoints, and those times are ours. The two lists whose keys
 * only its events name live as long as their neighbours.
 */
#include "endpoints.h"

#define S 1000000000ull

static const struct tiered_endpoint rules[] = {
    {"/api/models",
     "openrouter-models",
     600 * S,
     120 * S,
     0,
     {"admin.sync-models", "models.synced"}},
    {"/api/user/data",
     "user-profile-{userId}",
     300 * S,
     60 * S,
     0,
     {"user.update-profile", "user.update-preferences", "user.profile.updated",
      "subscription.changed"}},
    {"/api/admin/users",
     "admin-users-list",
     120 * S,
     30 * S,
     0,
     {"user.created", "user.updated", "user.deleted", "user.profile.updated"}},
    {"/api/usage/costs", "usage-costs", 900 * S, 180 * S, 3600 * S, {"usage.recorded"}},
    {"/api/health/cache", "health-cache", 30 * S, 10 * S, 0, {0}},
    {"/api/admin/models", "admin-models-list", 120 * S, 30 * S, 0, {"models.synced"}},
    {"/api/user/features", "user-features-{userId}", 300 * S, 60 * S, 0, {"subscription.changed"}},
};

const struct tiered_endpoints serverless_endpoints = {rules, sizeof rules / sizeof rules[0]};
