/* openmetrics.c - OpenMetrics text: counts of tests by status and verdict, every metric of every
 * variant in base units, and the growth of tests that grow (only those: a label value per test of a
 * big suite would drown a server). Supervisor only. */
#include "harness/base/text.h"
#include "harness/report/describe.h"
#include "harness/report/renderer.h"
#include "harness/result/json_write.h"

#include <math.h>
#include <string.h>

void render_openmetrics(const struct result *result, FILE *out);

/* The JSON key with its unit moved behind: "lookup_ns_p50" -> "lookup_p50_seconds". */
static void name_make(struct text *name, const struct metric_facts *facts)
{
    static const struct {
        const char *inside, *behind;
    } units[] = {[METRIC_KIND_COUNT] = {"", ""},
                 [METRIC_KIND_BYTES] = {"_bytes", "_bytes"},
                 [METRIC_KIND_NS] = {"_ns", "_seconds"},
                 [METRIC_KIND_RATIO] = {"_rate", "_ratio"},
                 [METRIC_KIND_PER] = {"", "_ratio"}};
    const char *inside = units[facts->kind].inside;
    const char *unit = inside[0] ? strstr(facts->json, inside) : NULL;
    text_put(name, "tidemark_variant_");
    if (unit) {
        text_put_bytes(name, facts->json, (size_t)(unit - facts->json));
        text_put(name, unit + strlen(inside));
    } else {
        text_put(name, facts->json);
    }
    text_put(name, units[facts->kind].behind);
}

static void label_put(const char *value, FILE *out)
{
    fputc('"', out);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\') {
            fputc('\\', out);
        }
        if (*value == '\n') {
            fputs("\\n", out);
        } else {
            fputc(*value, out);
        }
    }
    fputc('"', out);
}

static void family_put(const char *name, const char *help, FILE *out)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void variants_put(const struct result *result, FILE *out)
{
    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        struct text name = {0};
        bool first = true;
        name_make(&name, &result_metrics[m]);
        for (size_t v = 0; v < result->variant_count; v++) {
            double value = result->variants[v].metric[m];
            if (isnan(value)) {
                continue;
            }
            if (first) {
                family_put(name.data, result_metrics[m].help, out);
                first = false;
            }
            fprintf(out, "%s{variant=", name.data);
            label_put(result->variants[v].name, out);
            fprintf(out, "} %.17g\n",
                    result_metrics[m].kind == METRIC_KIND_NS ? value / 1e9 : value);
        }
        text_fini(&name);
    }
}

static void growth_put(const struct result *result, FILE *out)
{
    bool first = true;
    for (size_t i = 0; i < result->test_count; i++) {
        const struct result_test *test = &result->tests[i];
        if (!result_verdict_bad(test->verdict) || isnan(test->growth_bytes_per_rep)) {
            continue;
        }
        if (first) {
            family_put("tidemark_test_growth_per_repetition_bytes",
                       "What a test keeps more with every repetition.", out);
            first = false;
        }
        fputs("tidemark_test_growth_per_repetition_bytes{test=", out);
        label_put(test->id, out);
        fputs(",variant=", out);
        label_put(test->variant, out);
        fprintf(out, ",verdict=\"%s\"} %.17g\n", result_verdict_name(test->verdict),
                test->growth_bytes_per_rep);
    }
}

/* The verdict of each suite, as one of all that there are. */
static void suites_put(const struct result *result, FILE *out)
{
    if (result->variant_count == 0) {
        return;
    }
    family_put("tidemark_suite_verdict", "1 for what the judge says of the whole suite.", out);
    for (size_t v = 0; v < result->variant_count; v++) {
        for (unsigned i = 0; i < VERDICT_COUNT; i++) {
            fputs("tidemark_suite_verdict{variant=", out);
            label_put(result->variants[v].name, out);
            fprintf(out, ",verdict=\"%s\"} %d\n", result_verdict_name((enum result_verdict)i),
                    result->variants[v].verdict == i);
        }
    }
}

/* What the last line says, and whether it may be relied on. */
static void outcome_put(const struct result *result, FILE *out)
{
    struct result counted = *result; /* borrowed */
    result_count(&counted);
    const struct {
        const char *name;
        size_t count;
    } rows[] = {
        {"passed", counted.passed}, {"failed", counted.failed}, {"skipped", counted.skipped}};
    family_put("tidemark_outcome", "Tests, verdicts of suites and expectations by how they count.",
               out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fprintf(out, "tidemark_outcome{outcome=\"%s\"} %zu\n", rows[i].name, rows[i].count);
    }
    family_put("tidemark_exit_status", "What the run ends with: 0, 1, 77 or 99.", out);
    fprintf(out, "tidemark_exit_status %d\n", (int)result_end(result));
}

void render_openmetrics(const struct result *result, FILE *out)
{
    size_t status[RESULT_STATUS_COUNT] = {0}, verdict[VERDICT_COUNT] = {0}, broken = 0;
    for (size_t i = 0; i < result->test_count; i++) {
        status[result->tests[i].status]++;
        verdict[result->tests[i].verdict]++;
    }
    for (size_t i = 0; i < result->expect_count; i++) {
        broken += result_expect_broken(&result->expects[i]);
    }
    family_put("tidemark_tests", "Tests by how they ended, over all variants.", out);
    for (unsigned i = 0; i < RESULT_STATUS_COUNT; i++) {
        fprintf(out, "tidemark_tests{status=\"%s\"} %zu\n",
                result_status_name((enum result_status)i), status[i]);
    }
    family_put("tidemark_verdicts", "Tests by what the judge says of their memory.", out);
    for (unsigned i = 0; i < VERDICT_COUNT; i++) {
        fprintf(out, "tidemark_verdicts{verdict=\"%s\"} %zu\n",
                result_verdict_name((enum result_verdict)i), verdict[i]);
    }
    family_put("tidemark_expectations_broken", "Expectations of the scenario that were not met.",
               out);
    fprintf(out, "tidemark_expectations_broken %zu\n", broken);
    family_put("tidemark_tests_incomplete", "Tests without a result.", out);
    fprintf(out, "tidemark_tests_incomplete %zu\n", result->incomplete);
    outcome_put(result, out);
    suites_put(result, out);
    variants_put(result, out);
    growth_put(result, out);
    fputs("# EOF\n", out);
}
