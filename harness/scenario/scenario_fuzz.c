/*
 * scenario_fuzz.c - libFuzzer target of the scenario reader (make fuzz-scenario). Whatever the
 * bytes: no crash, no leak, no hang, a position in every diagnostic; and what is accepted has a
 * normal form that is accepted, too, and is its own normal form.
 */
#include "harness/scenario/scenario.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct scenario scenario, again;
    struct diag diag;
    diag_init(&diag);
    if (!scenario_parse("fuzz.yaml", (const char *)data, length, &scenario, &diag)) {
        for (size_t i = 0; i < diag.count; i++) {
            if (diag.items[i].line == 0 || diag.items[i].column == 0) {
                abort();
            }
        }
        if (diag.count == 0) {
            abort();
        }
        diag_fini(&diag);
        return 0;
    }
    struct text first = {0}, second = {0};
    scenario_write(&scenario, &first);
    if (!scenario_parse("again.yaml", first.data, first.length, &again, &diag)) {
        diag_print(&diag, stderr);
        fprintf(stderr, "%s", first.data);
        abort();
    }
    scenario_write(&again, &second);
    if (strcmp(first.data, second.data) != 0) {
        fprintf(stderr, "%s---\n%s", first.data, second.data);
        abort();
    }
    scenario_fini(&again);
    scenario_fini(&scenario);
    text_fini(&first);
    text_fini(&second);
    diag_fini(&diag);
    return 0;
}
