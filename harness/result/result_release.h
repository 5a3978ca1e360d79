/*
 * result_release.h - where blocks like those of a site are released: part of a site in memory and
 * of its line in the result file. Ownership as in result.h. Supervisor only.
 */
#ifndef RESULT_RESULT_RELEASE_H
#define RESULT_RESULT_RELEASE_H

#include "harness/base/text.h"
#include "harness/result/json_read.h"
#include "harness/result/result.h"

/* A zeroed one, owned by the site, valid until the next. */
struct result_release *result_release_add(struct result_site *site);
void result_release_drop(struct result_site *site); /* the last */
void result_releases_free(struct result_release *releases, size_t count);

const char *result_relation_name(enum result_relation relation);

/* The "released_by" of a site's line; nothing when there is none. */
void result_releases_write(struct text *line, const struct result_site *site);
void result_releases_read(struct json *json, struct result_site *site);

#endif
