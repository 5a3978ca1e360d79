/* scenario_write.c - the normal form of a scenario. Supervisor only. */
#include "harness/scenario/reader.h"

#include <ctype.h>
#include <string.h>

static const char *const teardowns[] = {[TEARDOWN_PER_TEST] = "per-test",
                                        [TEARDOWN_PER_MODULE] = "per-module",
                                        [TEARDOWN_AFTER_SUITE] = "after-suite",
                                        [TEARDOWN_NEVER] = "never"};

/* A double-quoted YAML scalar says everything there is to say about a text. */
static void quoted_put(struct text *out, const char *text)
{
    text_put_char(out, '"');
    for (const char *at = text; *at; at++) {
        unsigned char letter = (unsigned char)*at;
        if (letter == '"' || letter == '\\') {
            text_format(out, "\\%c", letter);
        } else if (letter < 0x20 || letter == 0x7f) {
            text_format(out, "\\x%02x", letter);
        } else if (letter == 0xc2 && (unsigned char)at[1] < 0xa0) {
            /* C1 controls: YAML wants them escaped; NEL would be a line break. */
            text_format(out, "\\x%02x", (unsigned char)*++at);
        } else if (letter == 0xe2 && (unsigned char)at[1] == 0x80 &&
                   ((unsigned char)at[2] & 0xfe) == 0xa8) {
            text_format(out, "\\u20%02x", (unsigned char)at[2] - 0x80); /* line separators */
            at += 2;
        } else if (letter == 0xef && (unsigned char)at[1] == 0xbb && (unsigned char)at[2] == 0xbf) {
            text_put(out, "\\ufeff");
            at += 2;
        } else if (letter == 0xef && (unsigned char)at[1] == 0xbf && (unsigned char)at[2] >= 0xbe) {
            text_format(out, "\\uff%02x", (unsigned char)at[2] + 0x40);
            at += 2;
        } else {
            text_put_char(out, (char)letter);
        }
    }
    text_put_char(out, '"');
}

static void texts_put(struct text *out, char *const *texts, size_t count)
{
    text_put_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        text_put(out, i ? ", " : "");
        quoted_put(out, texts[i]);
    }
    text_put_char(out, ']');
}

static void suite_put(struct text *out, const struct scenario *scenario)
{
    text_put(out, "suite: {program: ");
    quoted_put(out, scenario->program);
    for (size_t i = 0; i < scenario->suite_count; i++) {
        text_put(out, ", ");
        parameter_print(PARAMETER_SUITE, &scenario->suite[i], out);
    }
    if (scenario->arg_count) {
        text_put(out, ", args: ");
        texts_put(out, scenario->args, scenario->arg_count);
    }
    text_put(out, "}\n");
}

/* Variants carry the suite's environment already, with their own values behind it: the last of a
 * name counts. */
static void environment_put(struct text *out, const struct scenario_variant *variant)
{
    const char *comma = "";
    text_put(out, "env: {");
    for (size_t i = 0; i < variant->env_count; i++) {
        bool later = false;
        for (size_t j = i + 1; j < variant->env_count; j++) {
            later = later || strcmp(variant->env[i].key, variant->env[j].key) == 0;
        }
        if (!later) {
            text_format(out, "%s%s: ", comma, variant->env[i].key);
            quoted_put(out, variant->env[i].value);
            comma = ", ";
        }
    }
    text_put(out, "}");
}

static void variant_put(struct text *out, const struct scenario_variant *variant)
{
    const char *comma = "";
    text_put(out, "  - ");
    quoted_put(out, variant->name);
    text_put(out, ": {");
    if (variant->strategy[0] && strcmp(variant->strategy, variant->name) != 0) {
        text_put(out, "strategy: ");
        quoted_put(out, variant->strategy);
        comma = ", ";
    }
    if (variant->program[0]) {
        text_format(out, "%sprogram: ", comma);
        quoted_put(out, variant->program);
        comma = ", ";
    }
    if (variant->args_given) {
        text_format(out, "%sargs: ", comma);
        texts_put(out, variant->args, variant->arg_count);
        comma = ", ";
    }
    for (size_t i = 0; i < variant->param_count; i++) {
        text_put(out, comma);
        parameter_print(PARAMETER_STRATEGY, &variant->params[i], out);
        comma = ", ";
    }
    for (size_t i = 0; i < variant->suite_count; i++) {
        text_put(out, comma);
        parameter_print(PARAMETER_SUITE, &variant->suite[i], out);
        comma = ", ";
    }
    if (variant->teardown_given) {
        text_format(out, "%steardown: %s", comma, teardowns[variant->teardown]);
        comma = ", ";
    }
    if (variant->env_count) {
        text_put(out, comma);
        environment_put(out, variant);
    }
    text_put(out, "}\n");
}

static bool same_metric(const struct scenario_expect *a, const struct scenario_expect *b)
{
    return a->variant == b->variant && strcmp(a->metric, b->metric) == 0;
}

/* The expectations of one metric stand together: one condition, or a budget of two levels. A range
 * is two expectations of the same place and text. */
static size_t metric_put(struct text *out, const struct scenario *scenario, size_t at)
{
    const struct scenario_expect *first = &scenario->expects[at];
    bool budget = false;
    size_t end = at;
    while (end < scenario->expect_count && same_metric(first, &scenario->expects[end])) {
        budget = budget || scenario->expects[end].warn;
        end++;
    }
    text_format(out, "    %s: ", first->metric);
    text_put(out, budget ? "{" : "");
    const char *comma = "";
    for (size_t i = at; i < end; i++) {
        const struct scenario_expect *expect = &scenario->expects[i];
        bool again = i > at && expect->line == expect[-1].line &&
                     expect->column == expect[-1].column && expect->warn == expect[-1].warn;
        if (!again) {
            text_format(out, "%s%s", comma, !budget ? "" : expect->warn ? "warn: " : "fail: ");
            quoted_put(out, expect->text);
            comma = ", ";
        }
    }
    text_put(out, budget ? "}\n" : "\n");
    return end;
}

static void expects_put(struct text *out, const struct scenario *scenario)
{
    text_put(out, "expect:\n");
    for (size_t variant = 0; variant < scenario->variant_count; variant++) {
        bool named = false;
        for (size_t i = 0; i < scenario->expect_count;) {
            if (scenario->expects[i].variant != variant) {
                i++;
                continue;
            }
            if (!named) {
                text_put(out, "  ");
                quoted_put(out, scenario->variants[variant].name);
                text_put(out, ":\n");
                named = true;
            }
            i = metric_put(out, scenario, i);
        }
    }
}

void scenario_write(const struct scenario *scenario, struct text *out)
{
    text_put(out, "scenario: ");
    quoted_put(out, scenario->name);
    text_put(out, "\n");
    if (scenario->about[0]) {
        text_put(out, "about: ");
        quoted_put(out, scenario->about);
        text_put(out, "\n");
    }
    suite_put(out, scenario);
    if (scenario->teardown_given) {
        text_format(out, "teardown: %s\n", teardowns[scenario->teardown]);
    }
    text_put(out, "variants:\n");
    for (size_t i = 0; i < scenario->variant_count; i++) {
        variant_put(out, &scenario->variants[i]);
    }
    if (scenario->memory || scenario->timeout_ns) {
        text_put(out, "limits: {");
        if (scenario->memory) {
            text_format(out, "memory: %llu B%s", (unsigned long long)scenario->memory,
                        scenario->timeout_ns ? ", " : "");
        }
        if (scenario->timeout_ns) {
            text_format(out, "timeout: %llu ns", (unsigned long long)scenario->timeout_ns);
        }
        text_put(out, "}\n");
    }
    if (scenario->passes) {
        text_format(out, "passes: %u\n", scenario->passes);
    }
    if (scenario->expect_count) {
        expects_put(out, scenario);
    }
}
