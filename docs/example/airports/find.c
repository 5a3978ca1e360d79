/* find.c - looks airports up in the tables that registry-generate made of the catalogue beside it:
 * docs/catalogue.md. */
#include "airports.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct airport airport;
        registry_index index = airport_find(argv[i], strlen(argv[i]));
        if (index == REGISTRY_NONE) {
            printf("%s: none of %u\n", argv[i], airport_count());
            continue;
        }
        airport_get(index, &airport);
        printf("%s: %.*s, %.*s, %lld ft%s\n", argv[i], (int)airport.name.length, airport.name.data,
               (int)airport.city.length, airport.city.data, (long long)airport.elevation,
               airport.kind == AIRPORT_KIND_HUB ? ", a hub" : "");
    }
    return 0;
}
