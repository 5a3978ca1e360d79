/*
 * models.c - `tidemark models`: finds, lists and filters the compiled-in catalogue. Exit 0 when
 * something was found, 1 when not, 2 on bad input. Supervisor only.
 */
#include "harness/base/diag.h"
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/base/unit.h"
#include "harness/base/whole_file.h"
#include "harness/cli/command.h"
#include "harness/cli/model_print.h"
#include "harness/cli/record_print.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SUGGESTIONS 5

struct output {
    struct whole_file file;
    FILE *json;          /* or NULL: no --json */
    bool tables;         /* off when the JSON goes to stdout */
    struct table *table; /* of models, once there is one */
    uint32_t count;
};

static bool output_init(struct output *output, const struct command_line *line)
{
    *output = (struct output){.tables = !line->json || strcmp(line->json, "-") != 0};
    if (line->json && !whole_file_open(&output->file, line->json)) {
        (void)fprintf(stderr, "tidemark models: %s: %s\n", line->json, strerror(errno));
        return false;
    }
    output->json = output->file.out;
    return true;
}

static void output_model(struct output *output, registry_index index)
{
    output->count++;
    bool model = record_is_model();
    if (output->json) {
        (model ? model_json : record_json)(index, output->json);
    }
    if (output->tables) {
        if (!output->table) {
            output->table = table_new();
            (model ? model_columns : record_columns)(output->table);
        }
        (model ? model_row : record_row)(output->table, index);
    }
}

/* False: writing failed. */
static bool output_fini(struct output *output, const struct command_line *line)
{
    if (output->table) {
        table_print(output->table, stdout, table_terminal_width(stdout), line->color);
        table_free(&output->table);
        char *counted = record_count_text(output->count);
        (void)printf("%s\n", counted);
        free(counted);
    }
    bool ok = output->json == stdout || whole_file_close(&output->file, true);
    if (!ok) {
        (void)fprintf(stderr, "tidemark models: %s: %s\n", line->json, strerror(errno));
    }
    return ok; /* main looks at stdout at the end */
}

#define KEY_SHOWN 200 /* bytes of a key that is none; no key is as long */

static void suggest(const char *key)
{
    registry_index near[SUGGESTIONS];
    size_t count = registry_suggest(key, strlen(key), near, SUGGESTIONS), length = strlen(key);
    struct text shown = {0};
    text_put_printable(&shown, key, length < KEY_SHOWN ? length : KEY_SHOWN);
    (void)fprintf(stderr, "tidemark models: no %s '%s%s'%s\n", record_noun(),
                  shown.data ? shown.data : "", length > KEY_SHOWN ? "..." : "",
                  count > 0 ? "; nearest:" : "");
    text_fini(&shown);
    for (size_t i = 0; i < count; i++) {
        struct registry_text text = registry_key(near[i]);
        (void)fprintf(stderr, "  %.*s\n", (int)text.length, text.data);
    }
}

static int models_find(struct command_line *line, struct output *output)
{
    bool all = true;
    if (line->operand_count < 2) {
        return command_usage_error(line, "'find' needs a key, such as openai:gpt-4o");
    }
    for (size_t i = 1; i < line->operand_count; i++) {
        const char *key = line->operands[i];
        registry_index index = registry_find(key, strlen(key));
        if (index == REGISTRY_NONE) {
            index = registry_alias_find(key, strlen(key));
        }
        if (index == REGISTRY_NONE) {
            suggest(key);
            all = false;
            continue;
        }
        output->count++;
        if (output->tables) {
            (record_is_model() ? model_print : record_print)(index, line->color, stdout);
        }
        if (output->json) {
            (record_is_model() ? model_json : record_json)(index, output->json);
        }
    }
    return all ? COMMAND_MET : COMMAND_BROKEN;
}

/* Number of the provider, or REGISTRY_NONE after a message. */
static uint32_t provider_get(const char *name)
{
    uint32_t provider = REGISTRY_NONE, count = registry_provider_count();
    if (registry_provider_find(name, strlen(name), &provider)) {
        return provider;
    }
    const char **names = memory_new(count, sizeof *names);
    char **copies = memory_new(count, sizeof *copies);
    for (uint32_t i = 0; i < count; i++) {
        struct registry_text text = registry_provider_name(i);
        names[i] = copies[i] = memory_copy_bytes(text.data, text.length);
    }
    const char *near = diag_nearest(name, names, count);
    (void)fprintf(stderr, "tidemark models: no provider '%s'; %s%s%s\n", name,
                  near ? "did you mean '" : "'tidemark models list' lists them", near ? near : "",
                  near ? "'?" : "");
    for (uint32_t i = 0; i < count; i++) {
        free(copies[i]);
    }
    free(copies);
    free(names);
    return REGISTRY_NONE;
}

static void providers_list(const struct command_line *line, struct output *output)
{
    struct table *table = table_new();
    table_column(table, "provider", TABLE_LEFT);
    table_column(table, "models", TABLE_RIGHT);
    for (uint32_t p = 0; p < registry_provider_count(); p++) {
        struct registry_text name = registry_provider_name(p);
        registry_index first;
        uint32_t count;
        char number[UNIT_TEXT_BYTES];
        registry_provider_models(p, &first, &count);
        if (output->json) {
            provider_json(name, count, output->json);
        }
        char *copy = memory_copy_bytes(name.data, name.length);
        table_row(table);
        table_cell(table, copy);
        table_cell(table, unit_count(number, count));
        free(copy);
    }
    if (output->tables) {
        table_print(table, stdout, table_terminal_width(stdout), line->color);
        char *counted = record_count_text(registry_count());
        (void)printf("%" PRIu32 " providers, %s\n", registry_provider_count(), counted);
        free(counted);
    }
    table_free(&table);
}

static int models_list(struct command_line *line, struct output *output)
{
    if (line->operand_count > 2) {
        return command_usage_error(line, "'list' takes one provider, not '%s' as well",
                                   line->operands[2]);
    }
    bool grouped = registry_provider_count() > 1 || registry_provider_name(0).length > 0;
    if (line->operand_count == 1 && grouped) {
        providers_list(line, output);
        return COMMAND_MET;
    }
    if (!grouped) { /* keys of one part */
        if (line->operand_count > 1) {
            return command_usage_error(line,
                                       "the keys of this catalogue have one part: 'list' alone");
        }
        for (registry_index i = 0; i < registry_count(); i++) {
            output_model(output, i);
        }
        return COMMAND_MET;
    }
    uint32_t provider = provider_get(line->operands[1]);
    if (provider == REGISTRY_NONE) {
        return COMMAND_BROKEN;
    }
    registry_index first;
    uint32_t count;
    registry_provider_models(provider, &first, &count);
    for (uint32_t i = 0; i < count; i++) {
        output_model(output, first + i);
    }
    return COMMAND_MET;
}

/* "128000", "128k", "1M": tokens are counted in thousands by everybody, so k is 1000. */
static bool tokens_parse(const char *text, uint64_t *tokens)
{
    char *end = NULL;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    uint64_t factor = *end == 'k' || *end == 'K' ? 1000 : *end == 'M' || *end == 'm' ? 1000000 : 1;
    end += factor != 1;
    *tokens = number * factor;
    return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 &&
           number <= UINT64_MAX / 2 / factor;
}

/* "2.50" dollars to micro-dollars, exactly. */
static bool dollars_parse(const char *text, uint64_t *micro)
{
    text += *text == '$';
    char *end = NULL;
    errno = 0;
    uint64_t whole = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || errno != 0 || whole > UINT64_C(1000000000000)) {
        return false;
    }
    uint64_t part = 0, unit = 1000000;
    if (*end == '.') {
        for (end++; isdigit((unsigned char)*end); end++) {
            if (unit == 1) {
                return false;
            }
            unit /= 10;
            part += unit * (uint64_t)(*end - '0');
        }
    }
    *micro = whole * 1000000 + part;
    return *end == '\0';
}

static bool caps_parse(const struct command_line *line, uint32_t *caps)
{
    for (size_t i = 0; command_text_at(line, "cap", i); i++) {
        const char *name = command_text_at(line, "cap", i);
        uint32_t number;
        if (!registry_capability_find(name, &number)) {
            const char *names[32];
            for (uint32_t c = 0; c < registry_capability_count(); c++) {
                names[c] = registry_capability_name(c);
            }
            (void)command_word_error(line, "capability", name, names, registry_capability_count());
            return false;
        }
        *caps |= UINT32_C(1) << number;
    }
    return true;
}

static bool filter_parse(const struct command_line *line, struct registry_filter *filter)
{
    const struct {
        const char *option;
        bool (*parse)(const char *text, uint64_t *number);
        uint64_t *number;
        const char *wanted;
    } numbers[] = {
        {"context-min", tokens_parse, &filter->context_min, "tokens, such as 128000, 128k or 1M"},
        {"price-max", dollars_parse, &filter->price_input_max, "dollars, such as 2.50"},
        {"output-price-max", dollars_parse, &filter->price_output_max, "dollars, such as 2.50"},
    };
    registry_filter_init(filter);
    if (!caps_parse(line, &filter->caps)) {
        return false;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const char *text = command_text(line, numbers[i].option);
        if (text && !numbers[i].parse(text, numbers[i].number)) {
            (void)command_usage_error(line, "--%s: '%s' is not a number of %s", numbers[i].option,
                                      text, numbers[i].wanted);
            return false;
        }
    }
    const char *mode = command_text(line, "mode");
    for (unsigned i = 1; mode && i < REGISTRY_MODE_COUNT; i++) {
        if (strcmp(mode, registry_mode_name(i)) == 0) {
            filter->mode = i;
        }
    }
    return true;
}

#define WHERES 32

/* How many conditions; WHERES + 1 after a message. */
static size_t wheres_parse(const struct command_line *line, struct registry_where wheres[WHERES])
{
    size_t count = 0;
    for (const char *text; (text = command_text_at(line, "where", count)) != NULL; count++) {
        char *why = NULL;
        if (count == WHERES) {
            (void)command_usage_error(line, "--where: at most %d conditions", WHERES);
            return WHERES + 1;
        }
        if (!record_where_parse(text, &wheres[count], &why)) {
            (void)command_usage_error(line, "--where: %s", why);
            free(why);
            return WHERES + 1;
        }
    }
    return count;
}

/* An option that only a catalogue of models can answer; NULL: none was given. */
static const char *model_option_given(const struct command_line *line)
{
    for (const struct option_spec *option = line->command->options; option->name; option++) {
        if (strcmp(option->name, "where") != 0 && strcmp(option->name, "provider") != 0 &&
            command_text(line, option->name)) {
            return option->name;
        }
    }
    return NULL;
}

static int models_filter(struct command_line *line, struct output *output)
{
    struct registry_filter filter;
    if (line->operand_count > 1) {
        return command_usage_error(line, "'filter' takes options, not '%s'", line->operands[1]);
    }
    const char *stray = record_is_model() ? NULL : model_option_given(line);
    if (stray) {
        return command_usage_error(
            line, "--%s is about models, and this catalogue is of another kind (%s); --where",
            stray, record_noun());
    }
    if (!filter_parse(line, &filter)) {
        return COMMAND_USAGE;
    }
    if (command_text(line, "provider")) {
        filter.provider = provider_get(command_text(line, "provider"));
        if (filter.provider == REGISTRY_NONE) {
            return COMMAND_USAGE;
        }
    }
    struct registry_where wheres[WHERES];
    size_t count = wheres_parse(line, wheres);
    if (count > WHERES) {
        return COMMAND_USAGE;
    }
    for (registry_index i = 0; (i = registry_filter_next(&filter, i)) != REGISTRY_NONE; i++) {
        if (registry_image_matches(&registry_tables, wheres, count, i)) {
            output_model(output, i);
        }
    }
    if (output->count == 0) {
        (void)fprintf(stderr, "tidemark models: no %s matches\n", record_noun());
    }
    return output->count > 0 ? COMMAND_MET : COMMAND_BROKEN;
}

static const char *filter_option_given(const struct command_line *line)
{
    for (const struct option_spec *option = line->command->options; option->name; option++) {
        if (command_text(line, option->name)) {
            return option->name;
        }
    }
    return NULL;
}

static const struct {
    const char *name;
    int (*run)(struct command_line *line, struct output *output);
} verbs[] = {{"find", models_find}, {"list", models_list}, {"filter", models_filter}};

static const char *const verb_words[] = {"find", "list", "filter", NULL};

static int models_run(struct command_line *line)
{
    struct output output;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(line->operands[0], verbs[i].name) == 0) {
            const char *stray = verbs[i].run == models_filter ? NULL : filter_option_given(line);
            if (stray) {
                return command_usage_error(line, "--%s belongs to 'filter', not to '%s'", stray,
                                           verbs[i].name);
            }
            if (!output_init(&output, line)) {
                return COMMAND_OURS;
            }
            int status = verbs[i].run(line, &output);
            return output_fini(&output, line) ? status : COMMAND_OURS;
        }
    }
    return command_word_error(line, "verb", line->operands[0], verb_words, 3);
}

static const char *const mode_words[] = {
    "chat",       "completion",    "embedding", "image",  "audio",
    "speech",     "transcription", "video",     "rerank", "realtime",
    "moderation", "search",        "ocr",       "other",  NULL};

static const struct option_spec options[] = {
    {"where", 'w', OPTION_TEXT, "CONDITION",
     "filter: FIELD=VALUE, FIELD>=VALUE or FIELD<=VALUE, of the fields that the schema names", NULL,
     true},
    {"cap", 'c', OPTION_TEXT, "NAME", "filter: must be stated to have it (tools, reasoning, ...)",
     NULL, true},
    {"mode", 0, OPTION_WORD, "MODE", "filter: what kind of model", mode_words, false},
    {"provider", 'p', OPTION_TEXT, "NAME", "filter: one provider's models only", NULL, false},
    {"context-min", 0, OPTION_TEXT, "TOKENS", "filter: context of at least this, such as 100k",
     NULL, false},
    {"price-max", 0, OPTION_TEXT, "DOLLARS", "filter: at most this for 1M tokens of input", NULL,
     false},
    {"output-price-max", 0, OPTION_TEXT, "DOLLARS", "filter: at most this for 1M tokens of output",
     NULL, false},
    {0},
};

static const char *const examples[] = {
    "tidemark models find openai:gpt-4o\teverything the catalogue says about a model",
    "tidemark models list anthropic\tthe models of a provider",
    "tidemark models filter --cap tools --context-min 100k --price-max 1\tby what they can and "
    "cost",
    NULL,
};

const struct command command_models = {
    .name = "models",
    .about = "find, list and filter the models of the compiled-in catalogue",
    .operands = "find KEY... | list [PROVIDER] | filter",
    .operand_min = 1,
    .operand_max = COMMAND_MANY,
    .options = options,
    .detail =
        "A key is PROVIDER:ID. 'find' takes other names too: an id without its provider, or "
        "PROVIDER:FAMILY-latest. What the catalogue does not state is unknown: it is shown as "
        "a dash, and a filter on it does not match.\n"
        "A catalogue of other things than models (docs/catalogue.md) is asked in the same way, "
        "with "
        "--where for its fields.\n"
        "Exit status 0: found; 1: nothing found; 2: bad input.",
    .examples = examples,
    .words = verb_words,
    .run = models_run,
};
