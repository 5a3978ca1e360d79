/* words.c - see words.h. */
#include "harness/report/words.h"

#include <string.h>

const struct word words[] = {
#define WORD(kind, word, means, action)     {kind, word, means, action, ""},
#define VERDICT(word, means, action, doubt) {"verdict", word, means, action, doubt},
#include "harness/report/words.def"
#undef VERDICT
#undef WORD
#define METRIC(NAME, json, kind, title, help) {"metric", title, help, "", ""},
#include "harness/result/metric.def"
#undef METRIC
};
const size_t word_count = sizeof words / sizeof words[0];

const struct word *word_find(const char *kind, const char *word)
{
    for (size_t i = 0; i < word_count; i++) {
        if (strcmp(words[i].kind, kind) == 0 && strcmp(words[i].word, word) == 0) {
            return &words[i];
        }
    }
    return NULL;
}
