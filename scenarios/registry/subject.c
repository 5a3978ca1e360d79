/*
 * subject.c - the subjects that families of several modules are about, and how they are labelled.
 */
#include "module.h"

#include "registry/field.h"

#include <string.h>

bool subject_models(void)
{
    return strcmp(registry_image_record_name(&registry_tables).data, "model") == 0;
}

bool subject_keys_have_one_part(void)
{
    return registry_provider_count() == 1 && registry_provider_name(0).length == 0;
}

static bool label_keeps(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
}

void label_text(const char *data, size_t length, char *text, size_t room)
{
    size_t at = 0;
    for (; at < length && at + 1 < room; at++) {
        text[at] = label_keeps(data[at]) ? data[at] : '_';
    }
    text[at] = 0;
}

unsigned subject_providers(void)
{
    return registry_provider_count();
}

void label_provider(unsigned provider, char *text, size_t room)
{
    struct registry_text name = registry_provider_name(provider);
    label_text(name.data, name.length, text, room);
}

unsigned subject_capabilities(void)
{
    return registry_capability_count();
}

void label_capability(unsigned capability, char *text, size_t room)
{
    const char *name = registry_capability_name(capability);
    label_text(name, strlen(name), text, room);
}
