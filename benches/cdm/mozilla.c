// What Firefox's own CDM expects of the process that it is loaded into: Mozilla's allocator and clock.
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

void mozalloc_abort(const char *message) {
    (void)message;
    abort();
}

void *moz_xmalloc(size_t size) {
    void *memory = malloc(size);
    if (!memory) abort();
    return memory;
}

// mozilla::TimeStamp::Now(bool)
uint64_t _ZN7mozilla9TimeStamp3NowEb(int high_resolution) {
    struct timespec now;
    (void)high_resolution;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// mozilla::BaseTimeDurationPlatformUtils::TicksFromMilliseconds(double)
int64_t _ZN7mozilla29BaseTimeDurationPlatformUtils21TicksFromMillisecondsEd(double milliseconds) {
    return (int64_t)(milliseconds * 1e6);
}
