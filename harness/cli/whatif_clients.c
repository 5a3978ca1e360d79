/*
 * whatif_clients.c - `tidemark whatif --ttl --poll --clients`: a table of hit rates, clients down
 * and TTLs across, what reaches the source, how stale answers get, and which TTLs can never hit.
 */
#include "harness/cli/whatif.h"

#include "harness/base/memory.h"
#include "harness/base/table.h"
#include "harness/base/unit.h"
#include "harness/result/json_write.h"
#include "harness/trace/clients.h"

#include <stdlib.h>

#define LIST_MAX 32

struct request {
    uint64_t ttls[LIST_MAX], clients[LIST_MAX];
    size_t ttl_count, client_count;
    uint64_t poll;
    uint32_t draws;
    uint64_t seed;
    struct clients_result results[LIST_MAX][LIST_MAX]; /* [client][ttl] */
};

static bool ttls_read(const struct command_line *line, struct request *request)
{
    char error[UNIT_ERROR_BYTES];
    const char *text;
    for (size_t n = 0; (text = command_text_at(line, "ttl", n)) != NULL; n++) {
        if (n == LIST_MAX) {
            command_usage_error(line, "takes at most %d --ttl", LIST_MAX);
            return false;
        }
        if (!unit_parse(UNIT_NS, text, false, &request->ttls[n], error)) {
            command_usage_error(line, "--ttl '%s' %s", text, error);
            return false;
        }
        request->ttl_count++;
    }
    return true;
}

static bool clients_read(const struct command_line *line, struct request *request)
{
    char error[UNIT_ERROR_BYTES];
    const char *text;
    for (size_t n = 0; (text = command_text_at(line, "clients", n)) != NULL; n++) {
        if (n == LIST_MAX) {
            command_usage_error(line, "takes at most %d --clients", LIST_MAX);
            return false;
        }
        if (!unit_parse_count(text, &request->clients[n], error)) {
            command_usage_error(line, "--clients '%s' %s", text, error);
            return false;
        }
        if (request->clients[n] == 0 || request->clients[n] > 10000) {
            command_usage_error(line, "--clients '%s' is not between 1 and 10,000", text);
            return false;
        }
        request->client_count++;
    }
    if (request->client_count == 0) {
        request->clients[request->client_count++] = 1;
    }
    return true;
}

static bool request_read(const struct command_line *line, struct request *request)
{
    request->poll = command_integer(line, "poll", 0);
    uint64_t draws = command_integer(line, "draws", 200);
    request->seed = command_integer(line, "seed", 1);
    if (!ttls_read(line, request) || !clients_read(line, request)) {
        return false;
    }
    if (request->ttl_count == 0 || request->poll == 0) {
        command_usage_error(line, "needs %s for polling clients",
                            request->ttl_count == 0 ? "--ttl" : "--poll above 0");
        return false;
    }
    if (draws == 0 || draws > 1000000) {
        command_usage_error(line, "--draws is not between 1 and 1,000,000");
        return false;
    }
    request->draws = (uint32_t)draws;
    return true;
}

static void rates_print(const struct command_line *line, const struct request *request)
{
    struct table *table = table_new();
    char text[UNIT_TEXT_BYTES], other[UNIT_TEXT_BYTES];
    printf("Hit rate, each client polls every %s, mean of %u draws of their phases\n",
           unit_ns(text, (double)request->poll), request->draws);
    table_column(table, "clients", TABLE_RIGHT);
    for (size_t t = 0; t < request->ttl_count; t++) {
        char *title = memory_format("TTL %s", unit_ns(text, (double)request->ttls[t]));
        table_column(table, title, TABLE_RIGHT);
        free(title);
    }
    for (size_t c = 0; c < request->client_count; c++) {
        table_row(table);
        table_cell(table, unit_count(text, (double)request->clients[c]));
        for (size_t t = 0; t < request->ttl_count; t++) {
            const struct clients_result *result = &request->results[c][t];
            char *cell = result->hit_rate_error > 0
                             ? memory_format("%s +-%.1f", unit_ratio(text, result->hit_rate),
                                             100 * result->hit_rate_error)
                             : memory_copy(unit_ratio(other, result->hit_rate));
            table_cell_color(table, cell, result->never ? TABLE_RED : TABLE_PLAIN);
            free(cell);
        }
    }
    table_print(table, stdout, table_terminal_width(stdout), line->color);
    table_free(&table);
}

static void cost_print(const struct command_line *line, const struct request *request)
{
    struct table *table = table_new();
    char text[UNIT_TEXT_BYTES];
    printf("\nWhat reaches the source, and how old the answers are\n");
    table_column(table, "clients", TABLE_RIGHT);
    table_column(table, "TTL", TABLE_RIGHT);
    table_column(table, "polls\nan hour", TABLE_RIGHT);
    table_column(table, "loads\nan hour", TABLE_RIGHT);
    table_column(table, "hit rate, any draw\nlowest .. highest", TABLE_RIGHT);
    table_column(table, "mean\nage", TABLE_RIGHT);
    table_column(table, "oldest", TABLE_RIGHT);
    for (size_t c = 0; c < request->client_count; c++) {
        for (size_t t = 0; t < request->ttl_count; t++) {
            const struct clients_result *result = &request->results[c][t];
            double polls = 3.6e12 / (double)request->poll * (double)request->clients[c];
            table_row(table);
            table_cell(table, unit_count(text, (double)request->clients[c]));
            table_cell(table, unit_ns(text, (double)request->ttls[t]));
            table_cell(table, unit_count(text, polls));
            table_cell(table, unit_count(text, result->loads_per_hour));
            char *range =
                memory_format("%.1f .. %.1f %%", 100 * result->lowest, 100 * result->highest);
            table_cell(table, range);
            free(range);
            table_cell(table, unit_ns(text, result->age_mean_ns));
            table_cell(table, unit_ns(text, (double)result->age_max_ns));
        }
    }
    table_print(table, stdout, table_terminal_width(stdout), line->color);
    table_free(&table);
}

/* The TTLs that cannot do what they are there for. Returns whether there were any. */
static void flags_print(const struct request *request)
{
    char ttl[UNIT_TEXT_BYTES], poll[UNIT_TEXT_BYTES];
    unit_ns(poll, (double)request->poll);
    for (size_t t = 0; t < request->ttl_count; t++) {
        unit_ns(ttl, (double)request->ttls[t]);
        for (size_t c = 0; c < request->client_count; c++) {
            const struct clients_result *result = &request->results[c][t];
            if (result->never && request->ttls[t] == 0) {
                whatif_say("A TTL of 0 can never hit: every answer has expired when it arrives.");
                break;
            }
            if (result->never) {
                whatif_say(
                    "A TTL of %s can never hit with one client that polls every %s: the value "
                    "has always expired when it comes back. It takes a TTL above %s.",
                    ttl, poll, poll);
            } else if (request->ttls[t] <= request->poll && result->lowest < 0.01) {
                whatif_say(
                    "With %llu clients a TTL of %s hits only when one polls shortly after "
                    "another; in some draws of their phases it never does. A TTL above %s does "
                    "not depend on luck.",
                    (unsigned long long)request->clients[c], ttl, poll);
            }
        }
    }
}

static void json_print(const struct request *request, FILE *json)
{
    struct text text = {0};
    for (size_t c = 0; c < request->client_count; c++) {
        for (size_t t = 0; t < request->ttl_count; t++) {
            const struct clients_result *result = &request->results[c][t];
            whatif_json_begin(&text, "clients");
            json_unsigned(&text, "clients", request->clients[c]);
            json_unsigned(&text, "ttl_ns", request->ttls[t]);
            json_unsigned(&text, "poll_ns", request->poll);
            json_unsigned(&text, "draws", request->draws);
            json_unsigned(&text, "seed", request->seed);
            json_number(&text, "hit_rate", result->hit_rate);
            json_number(&text, "hit_rate_error", result->hit_rate_error);
            json_number(&text, "hit_rate_lowest", result->lowest);
            json_number(&text, "hit_rate_highest", result->highest);
            json_number(&text, "loads_per_hour", result->loads_per_hour);
            json_number(&text, "age_mean_ns", result->age_mean_ns);
            json_unsigned(&text, "age_max_ns", result->age_max_ns);
            json_bool(&text, "never_hits", result->never);
            whatif_json_end(&text, json);
        }
    }
    text_fini(&text);
}

int whatif_clients(const struct command_line *line, FILE *json)
{
    struct request *request = memory_new(1, sizeof *request);
    if (!request_read(line, request)) {
        free(request);
        return COMMAND_USAGE;
    }
    for (size_t c = 0; c < request->client_count; c++) {
        for (size_t t = 0; t < request->ttl_count; t++) {
            clients_run(&(struct clients){.ttl_ns = request->ttls[t],
                                          .poll_ns = request->poll,
                                          .clients = (uint32_t)request->clients[c],
                                          .draws = request->draws,
                                          .seed = request->seed},
                        &request->results[c][t]);
        }
    }
    if (json != stdout) {
        rates_print(line, request);
        cost_print(line, request);
        printf("\n");
        flags_print(request);
    }
    json_print(request, json);
    free(request);
    return COMMAND_MET;
}
