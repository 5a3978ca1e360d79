/* rows.h - the test cases of the suite, each of some rows 1.x of docs/incidents.md; and the folder
 * that they work in. */
#ifndef PROVIDER_ROWS_H
#define PROVIDER_ROWS_H

#include "variant.h"

#include <check.h>

extern const struct variant *under_test; /* PROVIDER_FILE; shipped where it is not given */

#define FOLDER_BYTES (HERD_PATH - 32)              /* room for the name of a file in it */
extern char folder[FOLDER_BYTES], path[HERD_PATH]; /* made anew for each test */
void folder_make(void);
void folder_remove(void);
unsigned folder_count(const char *part); /* files with this in their name */

TCase *rows_herd(void);   /* 1.1, 1.6: of the variant under test */
TCase *rows_many(void);   /* 1.2, 1.5, 1.9 */
TCase *rows_kill(void);   /* 1.4, 1.5 */
TCase *rows_file(void);   /* 1.3, 1.7, 1.8, 1.12 */
TCase *rows_future(void); /* 1.10 */
TCase *rows_safety(void); /* 1.11; disk full, upstream gone */

#endif
