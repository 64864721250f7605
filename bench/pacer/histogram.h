// A log-linear histogram of nanoseconds: 128 steps in every power of two. What is read from it is the
// middle of a step, at most 0.4 % off; below 128 ns, and for the maximum and the mean, it is exact.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { STEP_BITS = 7, STEPS = 1 << STEP_BITS, STEP_COUNT = (64 - STEP_BITS + 1) * STEPS };

struct histogram {
    uint64_t counts[STEP_COUNT];
    uint64_t count, max;
    double sum;
};

static inline size_t step_of(uint64_t value) {
    if (value < STEPS) return (size_t)value;
    int shift = 63 - __builtin_clzll(value) - STEP_BITS;
    return (size_t)shift * STEPS + (size_t)(value >> shift);
}

static inline uint64_t middle_of(size_t step) {
    if (step < 2 * STEPS) return step;
    size_t shift = step / STEPS - 1;
    return ((uint64_t)(step - shift * STEPS) << shift) + ((1ULL << shift) >> 1);
}

static inline void record(struct histogram *into, uint64_t value) {
    into->counts[step_of(value)]++;
    into->count++;
    into->sum += (double)value;
    if (value > into->max) into->max = value;
}

static inline void reset(struct histogram *one) { memset(one, 0, sizeof *one); }

// The value that `share` of all values do not exceed, in microseconds; 0 when there is none.
static inline double quantile(const struct histogram *of, double share) {
    uint64_t rank = (uint64_t)ceil(share * (double)of->count), seen = 0;
    for (size_t step = 0; step < STEP_COUNT; step++) {
        seen += of->counts[step];
        if (seen > 0 && seen >= rank)
            return (double)(middle_of(step) < of->max ? middle_of(step) : of->max) / 1e3;
    }
    return 0;
}

static inline double mean(const struct histogram *of) {
    return of->count ? of->sum / (double)of->count / 1e3 : 0;
}
