/*
 * strategy_plugin.c - strategies out of shared objects, see strategy.h. Runs in `tidemark bench`
 * and in the worker that asks through such a strategy. Checks that the object is one and that it
 * was built for these structs; does not check what its functions do.
 */
#include "registry/strategy.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define SYMBOL "tidemark_strategy"

/* What is wrong with a plug-in, in `why`; "" when nothing is. */
static void plugin_check(const struct strategy_plugin *plugin, char *why, size_t room)
{
    static const struct strategy_plugin ours = {
        STRATEGY_ABI,
        sizeof(struct strategy),
        sizeof(struct strategy_source),
        sizeof(struct strategy_options),
        sizeof(struct strategy_statistics),
        NULL,
    };
    const struct strategy *strategy = plugin->strategy;
    why[0] = '\0';
    if (plugin->abi != ours.abi) {
        snprintf(why, room, "built for version %u of the strategy interface, this is version %u",
                 plugin->abi, ours.abi);
    } else if (plugin->strategy_bytes != ours.strategy_bytes ||
               plugin->source_bytes != ours.source_bytes ||
               plugin->options_bytes != ours.options_bytes ||
               plugin->statistics_bytes != ours.statistics_bytes) {
        snprintf(why, room, "built with another registry/strategy.h (its structs differ in size)");
    } else if (!strategy || !strategy->name || !strategy->name[0] || !strategy->about) {
        snprintf(why, room, "its strategy has no name or no description");
    } else if (strlen(strategy->name) > 32 ||
               strspn(strategy->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-_.+") != strlen(strategy->name)) {
        snprintf(why, room, "its name must be up to 32 letters, digits and -_.+");
    } else if (!strategy->init || !strategy->get || !strategy->drop || !strategy->reset ||
               !strategy->fini || !strategy->statistics) {
        snprintf(why, room, "strategy '%s' leaves a function out", strategy->name);
    }
}

const struct strategy *strategy_load(const char *path, char error[STRATEGY_ERROR_BYTES])
{
    char why[160];
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) { /* its message names the file that is missing or bad, mostly this one */
        const char *said = dlerror();
        size_t length = strlen(path);
        bool named = said && strncmp(said, path, length) == 0 && said[length] == ':';
        snprintf(error, STRATEGY_ERROR_BYTES, "%s:%s%s", path, named ? "" : " ",
                 named  ? said + length + 1
                 : said ? said
                        : "cannot be loaded");
        return NULL;
    }
    const struct strategy_plugin *plugin = dlsym(object, SYMBOL);
    if (!plugin) {
        snprintf(error, STRATEGY_ERROR_BYTES,
                 "%s: no symbol '" SYMBOL "': a strategy ends with STRATEGY_PLUGIN(...)", path);
        dlclose(object);
        return NULL;
    }
    plugin_check(plugin, why, sizeof why);
    if (why[0]) {
        snprintf(error, STRATEGY_ERROR_BYTES, "%s: %s", path, why);
        dlclose(object);
        return NULL;
    }
    return plugin->strategy;
}
