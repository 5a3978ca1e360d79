/*
 * tier.c - see tier.h; and the tests that run on a tier instead of the registry: 7 kinds for each
 * of 50 models and one more, 351 in all with the comprehensive tier, as in the incident's suite.
 * They never call the registry; the counter "loads" says so, the tier's own loads are
 * "fixture_loads".
 *
 * A tier is a file in the catalogue's form: one record a line, JSON once the leading "- " is cut.
 */
#include "tier.h"

#include "module.h"
#include "session.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIER_MODELS 64
#define TIER_BYTES  (64u << 10)
#define TIER_VALUE  5000u /* what a model of the incident's fixtures took: 25, 75, 250 KB a tier */

struct tier_value {
    uint32_t model, line_length;
    char line[TIER_VALUE - 8];
};

static char text[TIER_BYTES];
static struct {
    char key[200];
    uint32_t length;
    const char *line;
    uint32_t line_length;
} models[TIER_MODELS];
static uint32_t model_count;

/* Copies the text of a field that holds no escapes; false when it is not there. */
static bool field_copy(const char *line, size_t length, const char *name, char *out, size_t room)
{
    char wanted[32];
    int wide = snprintf(wanted, sizeof wanted, "\"%s\"", name);
    const char *at = memmem(line, length, wanted, (size_t)wide), *end = line + length;
    if (!at) {
        return false;
    }
    at = memchr(at + wide, '"', (size_t)(end - at - wide));
    const char *close = at ? memchr(at + 1, '"', (size_t)(end - at - 1)) : NULL;
    if (!close || (size_t)(close - at) > room) {
        return false;
    }
    memcpy(out, at + 1, (size_t)(close - at - 1));
    out[close - at - 1] = 0;
    return true;
}

static bool line_take(const char *line, size_t length)
{
    char provider[80], id[110];
    if (length < 2 || line[0] != '-') {
        return true; /* a comment */
    }
    if (model_count == TIER_MODELS || !field_copy(line, length, "provider", provider, 80) ||
        !field_copy(line, length, "id", id, 110)) {
        return false;
    }
    models[model_count].length =
        (uint32_t)snprintf(models[model_count].key, sizeof models[0].key, "%s:%s", provider, id);
    models[model_count].line = line;
    models[model_count].line_length = (uint32_t)length;
    model_count++;
    return true;
}

/* A tier's name is a file of fixtures/tiers, found from where this program was built or installed.
 */
static FILE *tier_open(const char *name)
{
    char program[512], path[1024];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    char *slash = strrchr(program, '/');
    snprintf(path, sizeof path, "%s", name);
    if (!strchr(name, '/') && slash) {
        *slash = 0;
        snprintf(path, sizeof path, "%s/../../fixtures/tiers/%s.yaml", program, name);
        if (access(path, R_OK) != 0) { /* installed: PREFIX/libexec/tidemark/suites */
            snprintf(path, sizeof path, "%s/../../../share/tidemark/fixtures/tiers/%s.yaml",
                     program, name);
        }
    }
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "registry suite: %s: %s\n", path, strerror(errno));
    }
    return file;
}

bool tier_read(const char *name)
{
    FILE *file = tier_open(name);
    if (!file) {
        return false;
    }
    size_t length = fread(text, 1, sizeof text - 1, file);
    bool ok = !ferror(file) && length < sizeof text - 1;
    fclose(file);
    for (char *line = text; ok && *line;) {
        size_t wide = strcspn(line, "\n");
        ok = line_take(line, wide);
        line += wide + (line[wide] != 0);
    }
    if (!ok || model_count == 0) {
        fprintf(stderr, "registry suite: %s: not a tier of 1 to %d models\n", name, TIER_MODELS);
    }
    return ok && model_count > 0;
}

uint32_t tier_count(void)
{
    return model_count;
}

struct registry_text tier_key(uint32_t model)
{
    return (struct registry_text){.data = models[model].key, .length = models[model].length};
}

bool tier_value_is(const struct strategy_value *value, uint32_t model)
{
    const struct tier_value *record = value->data;
    return value->bytes == sizeof *record && record->model == model &&
           memcmp(record->line, models[model].line, record->line_length) == 0;
}

static bool tier_load(void *context, const char *key, size_t length, struct strategy_value *value)
{
    static _Thread_local struct tier_value record;
    (void)context;
    for (uint32_t i = 0; i < model_count; i++) {
        if (models[i].length == length && memcmp(models[i].key, key, length) == 0) {
            record = (struct tier_value){.model = i};
            record.line_length = models[i].line_length < sizeof record.line ? models[i].line_length
                                                                            : sizeof record.line;
            memcpy(record.line, models[i].line, record.line_length);
            *value = (struct strategy_value){.data = &record, .bytes = sizeof record};
            return true;
        }
    }
    return false;
}

const struct strategy_source tier_source = {
    .name = "tier", .load = tier_load, .value_bytes_max = sizeof(struct tier_value)};

static void label_model(unsigned model, char *out, size_t room)
{
    label_text(models[model].key, models[model].length, out, room);
}

static bool get(unsigned model, size_t length, struct strategy_value *value)
{
    return session_get(models[model].key, length, value);
}

static void finds(unsigned model)
{
    struct strategy_value value;
    ck_assert(get(model, models[model].length, &value));
    ck_assert(tier_value_is(&value, model));
}

static void finds_again(unsigned model)
{
    finds(model);
    finds(model);
}

static void misses_a_prefix_of(unsigned model)
{
    ck_assert(!get(model, models[model].length - 1u, NULL));
}

static void misses_a_provider_of(unsigned model)
{
    ck_assert(!get(model, strcspn(models[model].key, ":"), NULL));
}

static void finds_after_a_drop(unsigned model)
{
    finds(model);
    session_drop(models[model].key, models[model].length);
    finds(model);
}

static void finds_after_all_others(unsigned model)
{
    for (unsigned i = 0; i < model_count; i++) {
        finds(i);
    }
    finds(model);
}

static void finds_after_a_reset(unsigned model)
{
    session_reset();
    finds(model);
}

static void the_tier_has_a_size_of_the_incident(void)
{
    ck_assert(model_count == 5 || model_count == 15 || model_count == 50);
}

static const struct suite_single singles[] = {SINGLE(the_tier_has_a_size_of_the_incident)};

static const struct suite_family families[] = {
    SINGLES(singles),
    FAMILY(finds, tier_count, label_model),
    FAMILY(finds_again, tier_count, label_model),
    FAMILY(misses_a_prefix_of, tier_count, label_model),
    FAMILY(misses_a_provider_of, tier_count, label_model),
    FAMILY(finds_after_a_drop, tier_count, label_model),
    FAMILY(finds_after_all_others, tier_count, label_model),
    FAMILY(finds_after_a_reset, tier_count, label_model),
};

MODULE(module_tier, "tier", families);
