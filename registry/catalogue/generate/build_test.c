/* build_test.c - catalogue in, image out, looked at through the library: the traps of real data. */
#include "registry/catalogue/generate/build.h"

#include "harness/base/suite.h"
#include "registry/catalogue/generate/synthetic.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static struct diag diag;
static struct catalogue catalogue;
static struct build built;

/* libcheck forks, so nothing is left over from another test. */
static const struct registry_image *image_of(const char *text, size_t fill)
{
    diag_init(&diag);
    catalogue_init(&catalogue);
    bool ok = catalogue_read_text(&catalogue, "test.yaml", text, strlen(text), &diag);
    synthetic_fill(&catalogue, fill, 1);
    ok = ok && catalogue_sort(&catalogue, "test.yaml", &diag) &&
         build_init(&built, &catalogue, true, "test.yaml", &diag);
    diag_print(&diag, stderr);
    ck_assert(ok);
    ck_assert(registry_image_valid(built.image, built.bytes));
    return built.image;
}

static void image_done(void)
{
    build_fini(&built);
    catalogue_fini(&catalogue);
    diag_fini(&diag);
}

static const struct registry_image *traps(void)
{
    diag_init(&diag);
    catalogue_init(&catalogue);
    bool ok = catalogue_read(&catalogue, "fixtures/catalogue/traps.yaml", &diag) &&
              catalogue_sort(&catalogue, "traps.yaml", &diag) &&
              build_init(&built, &catalogue, true, "traps.yaml", &diag);
    diag_print(&diag, stderr);
    ck_assert(ok);
    return built.image;
}

static struct registry_model get(const struct registry_image *image, const char *key)
{
    struct registry_model model;
    registry_index index = registry_image_find(image, key, strlen(key));
    ck_assert_msg(index != REGISTRY_NONE, "%s", key);
    registry_image_model(image, index, &model);
    return model;
}

static bool says(struct registry_text text, const char *wanted)
{
    return text.length == strlen(wanted) &&
           (text.length == 0 || memcmp(text.data, wanted, text.length) == 0);
}

START_TEST(every_number_comes_out_as_it_went_in)
{
    const struct registry_image *image = traps();
    static const struct {
        const char *key;
        uint64_t context, max_output, input, output, cache_read, cache_write;
    } rows[] = {
#define U REGISTRY_UNKNOWN
        {"trap:output-over-32-bits", U, 161280003840, U, U, U, U},
        {"trap:price-over-32-bits", U, U, 4294967296, 75000000000, U, U},
        {"trap:numbers-at-the-edge", 3221225471, 3221225472, 4294967294, 4294967295, INT64_MAX, 0},
        {"trap:tiny-context", 7, U, U, U, U, U},
        {"price:free", U, U, 0, 0, U, U},
        {"price:dynamic", U, U, U, U, U, U},
        {"price:unstated", U, U, U, U, U, U},
#undef U
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct registry_model model = get(image, rows[i].key);
        ck_assert_uint_eq(model.context, rows[i].context);
        ck_assert_uint_eq(model.max_output, rows[i].max_output);
        ck_assert_uint_eq(model.price_input, rows[i].input);
        ck_assert_uint_eq(model.price_output, rows[i].output);
        ck_assert_uint_eq(model.price_cache_read, rows[i].cache_read);
        ck_assert_uint_eq(model.price_cache_write, rows[i].cache_write);
        ck_assert_int_eq(model.price_dynamic, strcmp(rows[i].key, "price:dynamic") == 0);
    }
    image_done();
}
END_TEST

START_TEST(dates_keep_their_precision_and_what_the_source_says)
{
    const struct registry_image *image = traps();
    struct registry_model model = get(image, "date:month");
    ck_assert(says(model.knowledge, "2024-07"));
    ck_assert(says(model.released, "2024-07-31"));
    ck_assert(says(model.retires, "2025-02-31"));
    ck_assert(says(model.updated, "2025-25-11"));
    model = get(image, "trap:released-1970");
    ck_assert(says(model.released, "1970-01-01"));
    ck_assert(says(model.retires, ""));
    ck_assert(says(model.status, ""));
    image_done();
}
END_TEST

START_TEST(keys_are_bytes_split_at_the_first_colon)
{
    const struct registry_image *image = traps();
    static const char *const rows[][3] = {
        {"localai:voice-pt_PT-tug\xc3\xa3o-medium", "localai", "voice-pt_PT-tug\xc3\xa3o-medium"},
        {"case:MiniMax-M2.5", "case", "MiniMax-M2.5"},
        {"case:minimax-m2.5", "case", "minimax-m2.5"},
        {"colon:model:free:latest", "colon", "model:free:latest"},
        {"colon::edge", "colon", ":edge"},
        {"slash:org/model/variant", "slash", "org/model/variant"},
        {"space:a model with spaces", "space", "a model with spaces"},
        {"space: edges ", "space", " edges "},
        {"k:x", "k", "x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct registry_model model = get(image, rows[i][0]);
        ck_assert(says(model.provider, rows[i][1]));
        ck_assert(says(model.id, rows[i][2]));
    }
    ck_assert(says(get(image, "case:MiniMax-M2.5").name, "upper"));
    ck_assert(says(get(image, "case:minimax-m2.5").name, "lower"));
    ck_assert_uint_eq(registry_image_find(image, "case:MINIMAX-M2.5", 17), REGISTRY_NONE);
    image_done();
}
END_TEST

START_TEST(keys_of_every_length_are_found_and_their_neighbours_are_not)
{
    const struct registry_image *image = traps();
    unsigned lengths = 0, longest = 0;
    for (registry_index i = 0; i < registry_image_count(image); i++) {
        struct registry_text key = registry_image_key(image, i);
        ck_assert_uint_eq(registry_image_find(image, key.data, key.length), i);
        char other[REGISTRY_KEY_MOST];
        memcpy(other, key.data, key.length);
        for (uint32_t at = 0; at < key.length; at++) {
            other[at] ^= 1;
            registry_index found = registry_image_find(image, other, key.length);
            if (found != REGISTRY_NONE) { /* f-2 and f-3 are such neighbours */
                ck_assert_uint_ne(found, i);
                ck_assert_mem_eq(registry_image_key(image, found).data, other, key.length);
            }
            other[at] ^= 1;
        }
        lengths |= key.length == 63 ? 1 : key.length == 64 ? 2 : 0;
        longest = key.length > longest ? key.length : longest;
    }
    ck_assert_uint_eq(lengths, 3);
    ck_assert_uint_gt(longest, 64);
    image_done();
}
END_TEST

START_TEST(a_provider_that_is_the_prefix_of_another_keeps_its_models_together)
{
    const struct registry_image *image = traps();
    uint32_t provider, count;
    registry_index first;
    ck_assert(registry_image_provider_find(image, "order", 5, &provider));
    registry_image_provider_models(image, provider, &first, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert(says(registry_image_key(image, first), "order:a"));
    ck_assert(says(registry_image_key(image, first + 1), "order:z"));
    ck_assert(says(registry_image_key(image, first + 2), "order-b:a"));
    image_done();
}
END_TEST

START_TEST(capabilities_are_yes_no_or_unknown)
{
    const struct registry_image *image = traps();
    uint32_t tools, reasoning, vision;
    ck_assert(registry_image_capability_find(image, "tools", &tools));
    ck_assert(registry_image_capability_find(image, "reasoning", &reasoning));
    ck_assert(registry_image_capability_find(image, "vision", &vision));
    struct registry_model model = get(image, "three:values");
    ck_assert_uint_eq(model.caps_yes, 1u << tools);
    ck_assert_uint_eq(model.caps_no, 1u << reasoning);
    model = get(image, "three:others");
    ck_assert_uint_eq(model.caps_yes, 1u << reasoning | 1u << vision);
    ck_assert_uint_eq(model.caps_no, 0);
    image_done();
}
END_TEST

START_TEST(aliases_follow_the_ranking_and_the_newest_release)
{
    const struct registry_image *image = traps();
    static const char *const rows[][2] = {
        {"shared-id", "anthropic:shared-id"},
        {"family:f-latest", "family:f-2"},
        {"model:free:latest", "colon:model:free:latest"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        registry_index index = registry_image_alias_find(image, rows[i][0], strlen(rows[i][0]));
        ck_assert_uint_ne(index, REGISTRY_NONE);
        ck_assert(says(registry_image_key(image, index), rows[i][1]));
    }
    image_done();
}
END_TEST

START_TEST(suggestions_look_past_case_and_provider)
{
    const struct registry_image *image = traps();
    static const char *const rows[][2] = {
        {"CASE:minimax-M2.4", "case:"},
        {"slash:org/modle/variant", "slash:org/model/variant"},
        {"shared-ib", "aa-broker:shared-id"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        registry_index out[4];
        ck_assert_uint_gt(registry_image_suggest(image, rows[i][0], strlen(rows[i][0]), out, 4), 0);
        struct registry_text key = registry_image_key(image, out[0]);
        ck_assert_int_eq(strncmp(key.data, rows[i][1], strlen(rows[i][1])), 0);
    }
    image_done();
}
END_TEST

START_TEST(catalogues_of_any_size_build)
{
    static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 10, 33, 100, 1000, 5000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const struct registry_image *image =
            image_of("- {\"provider\": \"a\", \"id\": \"b\"}\n", sizes[s]);
        ck_assert_uint_eq(registry_image_count(image), sizes[s]);
        for (registry_index i = 0; i < sizes[s]; i++) {
            struct registry_text key = registry_image_key(image, i);
            ck_assert_uint_eq(registry_image_find(image, key.data, key.length), i);
        }
        image_done();
    }
}
END_TEST

START_TEST(the_same_input_makes_the_same_image)
{
    static const char text[] = "- {\"provider\": \"a\", \"id\": \"b\"}\n";
    const struct registry_image *image = image_of(text, 2000);
    size_t bytes = built.bytes;
    char *copy = malloc(bytes);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, image, bytes);
    image_done();
    image = image_of(text, 2000);
    ck_assert_uint_eq(built.bytes, bytes);
    ck_assert_mem_eq(copy, image, bytes);
    free(copy);
    image_done();
}
END_TEST

START_TEST(an_image_that_was_cut_or_is_something_else_is_refused)
{
    const struct registry_image *image = traps();
    ck_assert(registry_image_valid(image, built.bytes));
    ck_assert(!registry_image_valid(image, built.bytes - 1));
    ck_assert(!registry_image_valid(image, 16));
    built.image->magic ^= 1;
    ck_assert(!registry_image_valid(image, built.bytes));
    image_done();
}
END_TEST

START_TEST(mistakes_are_named_with_their_place)
{
    static const struct {
        const char *text, *wanted;
        unsigned line, column;
    } rows[] = {
        {"", "no models; a catalogue needs at least one", 0, 0},
        {"# nothing\n\n---\n", "no models; a catalogue needs at least one", 0, 0},
        {"models:\n", "wanted '- {...}', one model a line, not 'models:'", 1, 1},
        {"- {\"provider\": \"a\"}\n", "a model needs 'provider' and 'id'", 1, 3},
        {"- [1]\n", "a model is a mapping: - {\"provider\": ..., \"id\": ...}", 1, 3},
        {"- {\"provider\": \"a\", \"id\": \"b\", \"contxt\": 1}\n",
         "unknown field 'contxt'; did you mean 'context'?", 1, 32},
        {"- {\"provider\": \"a\", \"id\": \"b\", \"context\": 1.5}\n",
         "'context' must be a whole number, 0 or more", 1, 32},
        {"- {\"provider\": \"a\", \"id\": \"b\", \"context\": -1}\n",
         "'context' must be a whole number, 0 or more", 1, 32},
        {"- {\"provider\": \"a\", \"id\": \"\"}\n", "'id' is empty", 1, 21},
        {"- {\"provider\": \"a:b\", \"id\": \"c\"}\n",
         "provider 'a:b' holds a colon, where keys are split", 1, 16},
        {"- {\"provider\": \"a\", \"id\": \"b\", \"mode\": \"chatt\"}\n",
         "unknown mode 'chatt'; did you mean 'chat'?", 1, 40},
        {"- {\"provider\": \"a\", \"id\": \"b\", \"in\": [\"imgae\"]}\n",
         "unknown kind of input or output 'imgae'; did you mean 'image'?", 1, 39},
        {"- {\"provider\": \"a\", \"id\": \"b\", \"released\": \"2025\"}\n",
         "'released': '2025' is no date; wanted 2025-06 or 2025-06-16", 1, 44},
        {"- {\"provider\": \"a\", \"id\": \"b\", \"price\": {\"inptu\": 1}}\n",
         "unknown price 'inptu'; did you mean 'input'?", 1, 42},
        {"- {\"provider\": \"a\", \"id\": \"b\", \"price\": 3}\n",
         "'price' must be a mapping of input, output, cache_read, cache_write, dynamic", 1, 32},
        {"- {\"provider\": \"a\", \"id\": \"b\", \"caps\": [\"t\"], \"no\": [\"t\"]}\n",
         "capability 't' is stated both true and false", 1, 41},
        {"- {\"provider\": \"a\", \"id\": \"b\"}\n- {\"provider\": \"a\", \"id\": \"b\"}\n",
         "'a:b' is already in line 1", 2, 3},
        {"- {\"provider\": \"a\", \"id\": \"b\", \"id\": \"c\"}\n", "duplicate object key", 1, 0},
        {"- {\"provider\": \"a\", \"id\": }\n", "unexpected token near '}'", 1, 0},
        {"- {\"provider\": \"a\", \"id\": \"\xff\"}\n", "unable to decode byte", 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        diag_init(&diag);
        catalogue_init(&catalogue);
        bool ok = catalogue_read_text(&catalogue, "t", rows[i].text, strlen(rows[i].text), &diag) &&
                  catalogue_sort(&catalogue, "t", &diag);
        ck_assert(!ok);
        ck_assert_uint_eq(diag.count, 1);
        ck_assert_msg(strncmp(diag.items[0].text, rows[i].wanted, strlen(rows[i].wanted)) == 0,
                      "%s", diag.items[0].text);
        ck_assert_uint_eq(diag.items[0].line, rows[i].line);
        if (rows[i].column != 0) {
            ck_assert_msg(diag.items[0].column == rows[i].column, "%s: column %u", rows[i].wanted,
                          diag.items[0].column);
        } else if (rows[i].line != 0) {
            ck_assert_uint_gt(diag.items[0].column, 3);
        }
        catalogue_fini(&catalogue);
        diag_fini(&diag);
    }
}
END_TEST

START_TEST(more_models_than_fit_are_a_plain_error)
{
    diag_init(&diag);
    catalogue_init(&catalogue);
    catalogue.count = CATALOGUE_MOST + 1; /* refused before any entry is looked at */
    ck_assert(!catalogue_sort(&catalogue, "t", &diag));
    ck_assert_str_eq(diag.items[0].text, "8000001 models; at most 8000000 fit in an image");
    catalogue.count = 0;
    image_done();
}
END_TEST

START_TEST(all_mistakes_are_reported_at_once)
{
    static const char text[] =
        "- {\"provider\": \"a\", \"id\": \"b\", \"contxt\": 1, \"mode\": 3}\n"
        "- {\"provider\": \"a\", \"id\": \"c\"}\n"
        "- {\"id\": 4}\n";
    diag_init(&diag);
    catalogue_init(&catalogue);
    ck_assert(!catalogue_read_text(&catalogue, "t", text, strlen(text), &diag));
    ck_assert_uint_eq(diag.count, 4);
    image_done();
}
END_TEST

START_TEST(mistakes_are_all_counted_and_the_first_twenty_kept)
{
    char text[100 * 40] = "";
    for (int i = 0; i < 90; i++) {
        strcat(text, i % 3 == 0 ? "- {\"provider\": \"a\"}\n" : "- {\"id\": 1, \"provider\": 2}\n");
    }
    diag_init(&diag);
    catalogue_init(&catalogue);
    ck_assert(!catalogue_read_text(&catalogue, "t", text, strlen(text), &diag));
    ck_assert_uint_eq(catalogue.mistakes, 30 + 60 * 2);
    ck_assert_uint_eq(diag.count, CATALOGUE_MISTAKES_SHOWN);
    for (size_t i = 1; i < diag.count; i++) {
        ck_assert_uint_ge(diag.items[i].line, diag.items[i - 1].line);
    }
    ck_assert_uint_eq(diag.items[19].line, 12);
    image_done();
}
END_TEST

/* The built-in schema and the struct that the library was compiled with are one layout. */
START_TEST(the_model_catalogue_is_one_schema_of_many)
{
    static const struct {
        const char *name;
        size_t at;
    } rows[] = {
#define AT(name, member) {name, offsetof(struct registry_record, member)}
        AT("name", name),
        AT("context", context),
        AT("max_output", max_output),
        AT("price.input", input),
        AT("price.output", output),
        AT("price.cache_read", cache_read),
        AT("price.cache_write", cache_write),
        AT("caps", caps_yes),
        AT("family", family),
        AT("knowledge", knowledge),
        AT("released", released),
        AT("updated", updated),
        AT("retires", retires),
        AT("status", status),
        AT("set", set),
        AT("src", sources),
        AT("mode", mode),
        AT("price.dynamic", price_dynamic),
        AT("in", inputs),
        AT("out", outputs),
#undef AT
    };
    const struct schema *schema = schema_models();
    ck_assert_uint_eq(schema->count, sizeof rows / sizeof rows[0]);
    ck_assert_uint_eq(schema->record_bytes, sizeof(struct registry_record));
    for (unsigned i = 0; i < schema->count; i++) {
        ck_assert_str_eq(schema->fields[i].name, rows[i].name);
        ck_assert_msg(schema->fields[i].at == rows[i].at, "%s", rows[i].name);
    }
    const struct schema_field *mode = &schema->fields[schema_find(schema, "mode")];
    ck_assert_uint_eq(mode->word_count + 1, REGISTRY_MODE_COUNT);
    for (unsigned i = 1; i < REGISTRY_MODE_COUNT; i++) {
        ck_assert_str_eq(mode->words[i - 1], registry_mode_name(i));
    }
    const struct schema_field *in = &schema->fields[schema_find(schema, "in")];
    ck_assert_uint_eq(in->word_count, REGISTRY_MODALITY_COUNT);
    for (unsigned i = 0; i < REGISTRY_MODALITY_COUNT; i++) {
        ck_assert_str_eq(in->words[i], registry_modality_name(i));
    }
}
END_TEST

/* What the image says of itself equals what the model's own functions say, for every record. */
START_TEST(fields_read_by_their_names_are_those_of_the_struct)
{
    const struct registry_image *image = traps();
    uint32_t context, knowledge, caps, mode, dynamic;
    ck_assert(registry_image_field_find(image, "context", 7, &context));
    ck_assert(registry_image_field_find(image, "knowledge", 9, &knowledge));
    ck_assert(registry_image_field_find(image, "caps", 4, &caps));
    ck_assert(registry_image_field_find(image, "mode", 4, &mode));
    ck_assert(registry_image_field_find(image, "price.dynamic", 13, &dynamic));
    ck_assert(!registry_image_field_find(image, "contexts", 8, &context));
    for (registry_index i = 0; i < registry_image_count(image); i++) {
        struct registry_model model;
        struct registry_value value;
        registry_image_model(image, i, &model);
        registry_image_value(image, i, context, &value);
        ck_assert_int_eq(value.stated, model.context != REGISTRY_UNKNOWN);
        ck_assert(!value.stated || (uint64_t)value.number == model.context);
        registry_image_value(image, i, knowledge, &value);
        ck_assert(value.text.length == model.knowledge.length &&
                  memcmp(value.text.data, model.knowledge.data, value.text.length) == 0);
        registry_image_value(image, i, caps, &value);
        ck_assert(value.yes == model.caps_yes && value.no == model.caps_no);
        registry_image_value(image, i, mode, &value);
        ck_assert_int_eq(value.stated, model.mode != REGISTRY_MODE_UNKNOWN);
        ck_assert(!value.stated || says(value.text, registry_mode_name(model.mode)));
        registry_image_value(image, i, dynamic, &value);
        ck_assert_int_eq(value.stated, model.price_dynamic);
    }
    image_done();
}
END_TEST

/* One record with every type of field, and one that states nothing. */
static const char every_schema[] = "record: thing\n"
                                   "key: [id]\n"
                                   "fields:\n"
                                   "  a: {type: flag, filter: true}\n"
                                   "  b: {type: integer, filter: true}\n"
                                   "  c: {type: text}\n"
                                   "  d: {type: enum, words: [x, y]}\n"
                                   "  e: {type: decimal, digits: 3}\n"
                                   "  f: {type: set, words: [p, q, r]}\n"
                                   "  g: {type: names, denied: h}\n"
                                   "  i: {type: number}\n"
                                   "  j: {type: word}\n"
                                   "  k: {type: date}\n"
                                   "  l: {type: list}\n"
                                   "  m.n: {type: number, unit: kg}\n";
static const char every_record[] =
    "- {\"id\": \"full\", \"a\": true, \"b\": -7, \"c\": \"text\", \"d\": \"y\", \"e\": -1.25,"
    " \"f\": [\"r\", \"p\"], \"g\": [\"one\", \"two\"], \"h\": [\"three\"], \"i\": 5000000000,"
    " \"j\": \"word\", \"k\": \"2025-06\", \"l\": [\"u\", \"v\"], \"m\": {\"n\": 3}}\n"
    "- {\"id\": \"bare\"}\n";

static struct schema every;

static const struct registry_image *every_image(void)
{
    diag_init(&diag);
    catalogue_init(&catalogue);
    ck_assert(schema_parse(&every, "s", every_schema, strlen(every_schema), &diag));
    catalogue.schema = &every;
    bool ok = catalogue_read_text(&catalogue, "t", every_record, strlen(every_record), &diag) &&
              catalogue_sort(&catalogue, "t", &diag) &&
              build_init(&built, &catalogue, true, "t", &diag);
    diag_print(&diag, stderr);
    ck_assert(ok);
    return built.image;
}

static void every_done(void)
{
    image_done();
    schema_fini(&every);
}

START_TEST(every_type_of_field_comes_out_as_it_went_in)
{
    static const struct {
        const char *name, *text;
        int64_t number;
        uint32_t yes, no;
    } rows[] = {
        {.name = "a", .yes = 1},
        {.name = "b", .number = -7},
        {.name = "c", .text = "text"},
        {.name = "d", .text = "y"},
        {.name = "e", .number = -1250},
        {.name = "f", .yes = 5},
        {.name = "g", .yes = 1 | 4, .no = 2}, /* one, three, two: in byte order */
        {.name = "i", .number = 5000000000},
        {.name = "j", .text = "word"},
        {.name = "k", .text = "2025-06"},
        {.name = "l", .text = "u, v"},
        {.name = "m.n", .number = 3},
    };
    const struct registry_image *image = every_image();
    registry_index full = registry_image_find(image, "full", 4);
    registry_index bare = registry_image_find(image, "bare", 4);
    ck_assert(full != REGISTRY_NONE && bare != REGISTRY_NONE);
    ck_assert(says(registry_image_record_name(image), "thing"));
    ck_assert_uint_eq(registry_image_field_count(image), sizeof rows / sizeof rows[0]);
    for (uint32_t n = 0; n < registry_image_field_count(image); n++) {
        struct registry_value value;
        ck_assert(says(registry_image_field_name(image, n), rows[n].name));
        registry_image_value(image, full, n, &value);
        ck_assert_msg(value.stated && value.number == rows[n].number && value.yes == rows[n].yes &&
                          value.no == rows[n].no &&
                          says(value.text, rows[n].text ? rows[n].text : ""),
                      "%s", rows[n].name);
        registry_image_value(image, bare, n, &value);
        ck_assert_msg(!value.stated && value.number == 0 && value.yes == 0 && value.no == 0 &&
                          value.text.length == 0,
                      "%s is not stated", rows[n].name);
    }
    ck_assert(says(registry_image_field_word(image, 6, 1), "three"));
    ck_assert(says(registry_image_field_word(image, 5, 2), "r"));
    ck_assert(says(registry_image_field_word(image, 3, 0), "x"));
    ck_assert(says(registry_image_field_unit(image, 11), "kg"));
    ck_assert_uint_eq(registry_image_suggest(image, "fall", 4, &bare, 1), 1);
    ck_assert_uint_eq(bare, full);
    every_done();
}
END_TEST

START_TEST(what_a_schema_may_say_at_most_is_taken)
{
    static const char text[] = "record: thing\n"
                               "key: [first, last]\n"
                               "fields:\n"
                               "  a: {type: decimal, digits: 1}\n"
                               "  b: {type: decimal, digits: 9, filter: false}\n"
                               "  c: {type: set, words: [a, b, c, d, e, f, g, h]}\n"
                               "  d: {type: flag}\n";
    struct schema schema;
    diag_init(&diag);
    ck_assert(schema_parse(&schema, "s", text, strlen(text), &diag));
    ck_assert_uint_eq(schema.key_count, 2);
    ck_assert_uint_eq(schema.fields[0].digits, 1);
    ck_assert_uint_eq(schema.fields[1].digits, 9);
    ck_assert_uint_eq(schema.fields[2].word_count, 8);
    ck_assert_uint_eq(schema.fields[0].at, 8);
    ck_assert_uint_eq(schema.fields[2].at, 24);
    ck_assert_uint_eq(schema.record_bytes, 32); /* a multiple of its widest field */
    schema_fini(&schema);
    diag_fini(&diag);
}
END_TEST

START_TEST(conditions_are_met_at_their_bounds_and_by_nothing_unstated)
{
    enum { IS = REGISTRY_IS, LEAST = REGISTRY_AT_LEAST, MOST = REGISTRY_AT_MOST };
    static const struct {
        const char *field, *text;
        int64_t number;
        uint32_t bits;
        int how;
        bool met;
    } rows[] = {
        {.field = "b", .number = -7, .how = IS, .met = true},
        {.field = "b", .number = -6, .how = IS},
        {.field = "b", .number = -7, .how = LEAST, .met = true},
        {.field = "b", .number = -6, .how = LEAST},
        {.field = "b", .number = -7, .how = MOST, .met = true},
        {.field = "b", .number = -8, .how = MOST},
        {.field = "i", .number = 4999999999, .how = LEAST, .met = true},
        {.field = "a", .bits = 1, .how = IS, .met = true},
        {.field = "f", .bits = 4, .how = IS, .met = true},
        {.field = "f", .bits = 5, .how = IS, .met = true},
        {.field = "f", .bits = 2, .how = IS},
        {.field = "f", .bits = 3, .how = IS},
        {.field = "g", .bits = 2, .how = IS},
        {.field = "d", .text = "y", .how = IS, .met = true},
        {.field = "d", .text = "x", .how = IS},
        {.field = "j", .text = "wor", .how = IS},
        {.field = "j", .text = "words", .how = IS},
        {.field = "k", .text = "2025-06", .how = LEAST, .met = true},
        {.field = "k", .text = "2025-07", .how = LEAST},
        {.field = "k", .text = "2025-06-01", .how = MOST, .met = true},
        {.field = "k", .text = "2025", .how = MOST},
    };
    const struct registry_image *image = every_image();
    registry_index full = registry_image_find(image, "full", 4);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct registry_where where = {
            .how = rows[i].how, .number = rows[i].number, .bits = rows[i].bits};
        if (rows[i].text) {
            where.text = (struct registry_text){rows[i].text, (uint32_t)strlen(rows[i].text)};
        }
        ck_assert(
            registry_image_field_find(image, rows[i].field, strlen(rows[i].field), &where.field));
        ck_assert_msg(registry_image_where_next(image, &where, 1, 0) ==
                          (rows[i].met ? full : REGISTRY_NONE),
                      "row %zu: %s", i, rows[i].field);
        ck_assert(registry_image_where_next(image, &where, 1, full + 1) == REGISTRY_NONE);
    }
    ck_assert_uint_eq(registry_image_where_next(image, NULL, 0, 1), 1);
    every_done();
}
END_TEST

START_TEST(mistakes_in_a_schema_are_named_with_their_place)
{
    static const struct {
        const char *text, *wanted;
        unsigned line, column;
    } rows[] = {
#define HEAD "record: r\nkey: [k]\nfields:\n"
        {"key: [k]\nfields:\n  a: {type: text}\n", "'record' must be a name", 0, 0},
        {"record: r\nfields:\n  a: {type: text}\n",
         "a schema needs a key of one or two parts, such as key: [iata]", 0, 0},
        {"record: r\nkey: [a, b, c]\nfields:\n  x: {type: text}\n",
         "a schema needs a key of one or two parts", 2, 6},
        {"record: r\nkey: [k]\n", "a schema needs fields", 1, 1},
        {HEAD "  a: {type: txt}\n", "unknown type 'txt'; did you mean 'text'?", 4, 13},
        {HEAD "  a: {unit: m}\n", "", 4, 0},
        {HEAD "  a: {type: text, unit: m}\n", "'unit' does not belong to a field of type text", 4,
         19},
        {HEAD "  a: {type: number, filtr: true}\n", "unknown key 'filtr'; did you mean 'filter'?",
         4, 21},
        {HEAD "  a: {type: number, filter: 1}\n", "'filter' must be true or false", 4, 29},
        {HEAD "  a: {type: decimal}\n", "the field a needs 'digits'", 4, 3},
        {HEAD "  a: {type: enum}\n", "the field a needs 'words'", 4, 3},
        {HEAD "  a: {type: set, words: [a,b,c,d,e,f,g,h,i]}\n",
         "'words' of a must be a list of 1 to 8 words", 4, 25},
        {HEAD "  a: {type: enum, words: [x, x]}\n", "the word 'x' stands there twice", 4, 30},
        {HEAD "  k: {type: text}\n", "'k' is a name already", 4, 3},
        {HEAD "  1a: {type: text}\n", "a field must be a name of letters", 4, 3},
        {HEAD "  a-b: {type: text}\n", "a field must be a name of letters", 4, 3},
        {HEAD "  a.b.c: {type: text}\n", "a field must be a name of letters", 4, 3},
        {HEAD "  a.: {type: text}\n", "a field must be a name of letters", 4, 3},
        {HEAD "  a: {type: decimal, digits: 0}\n", "'digits' must be 1 to 9", 4, 30},
        {HEAD "  a: {type: decimal, digits: 12}\n", "'digits' must be 1 to 9", 4, 30},
        {HEAD "  a: {type: decimal, digits: x}\n", "'digits' must be 1 to 9", 4, 30},
        {HEAD "  a: {type: names, denied: k}\n", "'k' is a name already", 4, 3},
        {HEAD "  a: {type: names, denied: a}\n", "'a' is a name already", 4, 3},
        {HEAD "  a.b: {type: text}\n  a_b: {type: text}\n", "'a_b' is a name already", 5, 3},
        {HEAD "  a.b: {type: text}\n  a: {type: text}\n", "'a' is a name already", 5, 3},
        {HEAD "  a: {type: text}\n  a.b: {type: text}\n", "'a.b' is a name already", 5, 3},
        {HEAD "  int: {type: text}\n", "a field must be a name of letters", 4, 3},
        {HEAD "  a: text\n", "the field a must be a mapping", 4, 6},
        {HEAD "  a: {type: names}\n  b: {type: names}\n",
         "a second field of names; a is one already", 5, 3},
        {HEAD "  a: {type: text}\nkez: 1\n", "unknown key 'kez'; did you mean 'key'?", 5, 1},
#undef HEAD
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct schema schema;
        diag_init(&diag);
        ck_assert_msg(!schema_parse(&schema, "s", rows[i].text, strlen(rows[i].text), &diag), "%s",
                      rows[i].text);
        ck_assert_uint_ge(diag.count, 1);
        ck_assert_msg(strncmp(diag.items[0].text, rows[i].wanted, strlen(rows[i].wanted)) == 0,
                      "%s: %s", rows[i].text, diag.items[0].text);
        if (rows[i].column != 0) {
            ck_assert_uint_eq(diag.items[0].line, rows[i].line);
            ck_assert_msg(diag.items[0].column == rows[i].column, "%s: column %u", rows[i].text,
                          diag.items[0].column);
        }
        schema_fini(&schema);
        diag_fini(&diag);
    }
}
END_TEST

SUITE("generate", &every_number_comes_out_as_it_went_in,
      &dates_keep_their_precision_and_what_the_source_says,
      &keys_are_bytes_split_at_the_first_colon,
      &keys_of_every_length_are_found_and_their_neighbours_are_not,
      &a_provider_that_is_the_prefix_of_another_keeps_its_models_together,
      &capabilities_are_yes_no_or_unknown, &aliases_follow_the_ranking_and_the_newest_release,
      &suggestions_look_past_case_and_provider, &catalogues_of_any_size_build,
      &the_same_input_makes_the_same_image, &an_image_that_was_cut_or_is_something_else_is_refused,
      &mistakes_are_named_with_their_place, &more_models_than_fit_are_a_plain_error,
      &all_mistakes_are_reported_at_once, &mistakes_are_all_counted_and_the_first_twenty_kept,
      &the_model_catalogue_is_one_schema_of_many,
      &fields_read_by_their_names_are_those_of_the_struct,
      &every_type_of_field_comes_out_as_it_went_in, &what_a_schema_may_say_at_most_is_taken,
      &conditions_are_met_at_their_bounds_and_by_nothing_unstated,
      &mistakes_in_a_schema_are_named_with_their_place)
