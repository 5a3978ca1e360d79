/* rules.c - see rules.h: the rules of the report. Anywhere. */
#include "rules.h"

#include <stdio.h>
#include <string.h>

static const struct rule {
    const char *event;
    const char *keys[RULE_KEYS_MAX];
} rules[] = {
    {"user.profile.updated", {"user-profile-{userId}", "admin-users-list"}},
    {"models.synced", {"openrouter-models", "admin-models-list"}},
    {"subscription.changed", {"user-profile-{userId}", "user-features-{userId}"}},
};

static bool key_make(const char *form, const struct event_data *data, char key[RULE_KEY_BYTES])
{
    static const char name[] = "{userId}";
    const char *at = strstr(form, name);
    int length = at && data->user_id ? snprintf(key, RULE_KEY_BYTES, "%.*s%s%s", (int)(at - form),
                                                form, data->user_id, at + strlen(name))
                 : at                ? -1
                                     : snprintf(key, RULE_KEY_BYTES, "%s", form);
    return length > 0 && length < (int)RULE_KEY_BYTES;
}

size_t rules_keys(const char *event, const struct event_data *data,
                  char keys[RULE_KEYS_MAX][RULE_KEY_BYTES])
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        for (size_t j = 0;
             strcmp(rules[i].event, event) == 0 && j < RULE_KEYS_MAX && rules[i].keys[j]; j++) {
            count += key_make(rules[i].keys[j], data, keys[count]);
        }
    }
    return count;
}
