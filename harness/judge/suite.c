/* suite.c - see suite.h. */
#include "harness/judge/suite.h"

#include "harness/judge/threshold.h"

/* What a place does where tests of one fixture have ended and the first of the next has run. */
struct ends {
    unsigned down, up;
    int64_t low; /* the least that it came down to */
};

static void ends_add(struct ends *ends, int64_t before, int64_t after)
{
    if (after < before) {
        ends->low = ends->down == 0 || after < ends->low ? after : ends->low;
        ends->down++;
    }
    ends->up += before > 0 && after > before; /* of nothing nothing could be given back */
}

size_t suite_series(const struct suite_step *steps, size_t count, int64_t *held)
{
    struct ends ends = {0};
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        if (steps[i].begins) {
            ends_add(&ends, steps[i - 1].held, steps[i].held);
        }
        if (steps[i].touches) {
            held[length++] = steps[i].held;
        } else if (length > 0 && steps[i].held < held[length - 1]) {
            held[length - 1] = steps[i].held;
        }
    }
    if (length > 0 && ends.up == 0 && ends.down >= threshold_count(ENDS_DOWN) &&
        ends.low < held[length - 1]) {
        held[length - 1] = ends.low;
    }
    return length;
}

static int64_t least(const int64_t *values, size_t from, size_t to)
{
    int64_t low = values[from];
    for (size_t i = from + 1; i < to; i++) {
        low = values[i] < low ? values[i] : low;
    }
    return low;
}

/* How often a value was above all that came before. */
static size_t rises_of(const int64_t *held, size_t count)
{
    size_t rises = 0;
    int64_t most = 0;
    for (size_t i = 0; i < count; i++) {
        rises += held[i] > most;
        most = held[i] > most ? held[i] : most;
    }
    return rises;
}

static bool long_grows(const int64_t *held, size_t count)
{
    int64_t second = least(held, count / 4, count / 2);
    int64_t last = least(held, count - count / 4, count);
    return last > 0 && (double)(last - second) >= threshold(SUITE_SHARE) * (double)last &&
           rises_of(held, count) >= threshold_count(RISES);
}

static bool ends_highest(const int64_t *held, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (held[i] > held[count - 1]) {
            return false;
        }
    }
    return true;
}

/* So many rises cannot all lie in the first half. */
static bool short_grows(const int64_t *held, size_t count)
{
    return (double)rises_of(held, count) >= threshold(SHORT_SHARE) * (double)count &&
           ends_highest(held, count);
}

bool judge_pass(const int64_t *held, size_t count)
{
    if (count < threshold_count(TOUCHED_BY)) {
        return false;
    }
    return count >= threshold_count(LONG_SERIES) ? long_grows(held, count)
                                                 : short_grows(held, count);
}

enum result_verdict judge_votes(size_t accusing, size_t passes)
{
    double part = passes > 0 ? (double)accusing / (double)passes : 0;
    return passes == 0                       ? VERDICT_NONE
           : part >= threshold(GUILTY_VOTES) ? VERDICT_ACCUMULATES
           : part <= threshold(CLEAN_VOTES)  ? VERDICT_SATURATING
                                             : VERDICT_INCONCLUSIVE;
}

enum result_verdict judge_again(int64_t first, int64_t second)
{
    if (first <= 0) {
        return second > 0 ? VERDICT_GROWTH : VERDICT_ACCUMULATES;
    }
    double share = (double)second / (double)first;
    return share >= threshold(AGAIN_GROWS)     ? VERDICT_GROWTH
           : share <= threshold(AGAIN_SETTLES) ? VERDICT_ACCUMULATES
                                               : VERDICT_INCONCLUSIVE;
}

enum result_verdict judge_orders(enum result_verdict verdict, size_t passes, bool others)
{
    bool few = passes < threshold_count(ORDERS);
    return verdict == VERDICT_ACCUMULATES && few && others ? VERDICT_INCONCLUSIVE : verdict;
}
