/* Chance that is the same for everybody: a hash of what it is the chance of. Private to
 * the demo. */
#ifndef TIDEMARK_DOMAIN_DEMO_NOISE_H
#define TIDEMARK_DOMAIN_DEMO_NOISE_H

#include <math.h>
#include <stdint.h>

/* The finalizer of splitmix64 (Steele, Lea and Flood, 2014). */
static inline uint64_t demo_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* 0 ≤ noise < 1 for the n-th draw about `topic` of a seed. */
static inline double demo_noise(uint64_t seed, uint64_t topic, int64_t n)
{
    uint64_t bits = demo_mix(seed ^ demo_mix(topic ^ demo_mix((uint64_t)n)));
    return (double)(bits >> 11) * 0x1p-53;
}

/* Noise that changes gradually along x, from one whole number's draw to the next one's. */
static inline double demo_drift(uint64_t seed, uint64_t topic, double x)
{
    double whole = floor(x);
    double left = demo_noise(seed, topic, (int64_t)whole);
    double right = demo_noise(seed, topic, (int64_t)whole + 1);
    return left + (right - left) * (x - whole);
}

#endif
