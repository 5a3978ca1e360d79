/*
 * family.c - see family.h. Runs in the worker.
 *
 * A family's sum is kept in its smallest site, and changes by what its sites change, so that a
 * boundary costs nothing for the sites that nothing touched. Only when sites were joined are all
 * gone through: the families that grew begin their floors again then, because it is not known what
 * their sites held together at the boundaries before.
 */
#include "harness/ledger/family.h"

static uint32_t roots_first;   /* the smallest sites of families of several */
static uint32_t changed_first; /* those that the last fold changed */
static uint32_t joins_seen;    /* site_joins() when the sums were made ... */
static bool stale;             /* ... unless watching began since */

void family_start(void)
{
    stale = true;
}

static struct site *root_of(uint32_t number)
{
    return site_get(site_family(number));
}

static void sums_clear(void)
{
    for (uint32_t number = site_count(); number > 0; number--) {
        struct site *site = site_get(number);
        if (site != NULL) {
            site->whole.sites_before = stale ? 0 : site->whole.sites;
            site->whole.sites = 0;
            site->whole.live_blocks = site->whole.live_bytes = 0;
        }
    }
}

static void sums_make(void)
{
    roots_first = 0;
    for (uint32_t number = site_count(); number > 0; number--) {
        const struct site *site = site_get(number);
        struct site *root = root_of(number);
        if (site == NULL || root == NULL) {
            continue;
        }
        root->whole.sites++;
        root->whole.live_blocks += site->live_blocks;
        root->whole.live_bytes += site->live_bytes;
        if (root->whole.sites == 2) {
            root->whole.root_next = roots_first;
            roots_first = site_family(number);
        }
    }
    for (uint32_t number = roots_first; number != 0;) {
        struct site *root = site_get(number);
        if (root->whole.sites != root->whole.sites_before) {
            root->whole.floor_run = 0;
        }
        number = root->whole.root_next;
    }
}

/* Returns true if all sums were made anew: then they are those of now. */
static bool families_build(void)
{
    uint32_t joins = site_joins();
    if (joins == joins_seen && !stale) {
        return false;
    }
    joins_seen = joins;
    sums_clear();
    sums_make();
    stale = false;
    return true;
}

/* The first of its sites that this fold changed: the floor so far is from before the change. */
static void root_touch(struct site *root, uint32_t number, const struct watch_moment *moment)
{
    if (root->whole.fold == moment->fold) {
        return;
    }
    root->whole.fold = moment->fold;
    root->whole.changed_next = changed_first;
    changed_first = number;
    if (root->whole.floor_run != moment->run && !moment->first_boundary) {
        root->whole.floor_run = moment->run;
        root->whole.floor_blocks = root->whole.live_blocks;
        root->whole.floor_bytes = root->whole.live_bytes;
    }
}

void family_fold(const struct watch_moment *moment)
{
    bool built = families_build();
    changed_first = 0;
    for (uint32_t number = moment->changed_first; number != 0 && roots_first != 0;) {
        const struct site *site = site_get(number);
        uint32_t family = site_family(number);
        struct site *root = site_get(family);
        if (root != NULL && root->whole.sites > 1) {
            root_touch(root, family, moment);
            root->whole.live_blocks += built ? 0 : site->live_blocks - site->before_blocks;
            root->whole.live_bytes += built ? 0 : site->live_bytes - site->before_bytes;
        }
        number = site->fold_next;
    }
}

void family_floor(const struct watch_moment *moment)
{
    for (uint32_t number = changed_first; number != 0;) {
        struct site *root = site_get(number);
        bool fresh = moment->first_boundary || root->whole.floor_run != moment->run;
        int64_t blocks = root->whole.live_blocks, bytes = root->whole.live_bytes;
        if (fresh || blocks < root->whole.floor_blocks) {
            root->whole.floor_blocks = blocks;
        }
        if (fresh || bytes < root->whole.floor_bytes) {
            root->whole.floor_bytes = bytes;
        }
        root->whole.floor_run = moment->run;
        number = root->whole.changed_next;
    }
}

void family_changes_each(watch_changed *each, void *context)
{
    struct watch_moment moment = watch_moment_now();
    for (uint32_t number = roots_first; number != 0;) {
        struct site *root = site_get(number);
        if (root->whole.floor_run != moment.run) { /* nothing touched it */
            root->whole.floor_blocks = root->whole.live_blocks;
            root->whole.floor_bytes = root->whole.live_bytes;
        }
        const int64_t now[4] = {root->whole.live_blocks, root->whole.live_bytes,
                                root->whole.floor_blocks, root->whole.floor_bytes};
        bool same = root->whole.told_ever;
        for (int i = 0; i < 4; i++) {
            same = same && root->whole.told[i] == now[i];
            root->whole.told[i] = now[i];
        }
        if (!same) {
            root->whole.told_ever = true;
            each(context, root, number);
        }
        number = root->whole.root_next;
    }
}
