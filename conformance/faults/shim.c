/* What the system may do to who reads and writes by libc, and seldom does. In the environment:
 *   FAULTS_SHORT=1   every read and write of more than one octet does half of it
 *   FAULTS_STOP=N    the process stops before its read number N of a file whose name has FAULTS_NAME in it
 *   FAULTS_STOP_AT_EXIT=1    and when main has returned */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static size_t part(size_t count) { return getenv("FAULTS_SHORT") && count > 1 ? count / 2 : count; }

static void stop(int fd) {
    static atomic_int seen;
    const char *at = getenv("FAULTS_STOP"), *name = getenv("FAULTS_NAME");
    char link[64], path[4096];
    if (!at || !name)
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return;
    path[length] = 0;
    if (strstr(path, name) && atomic_fetch_add(&seen, 1) + 1 == atoi(at))
        raise(SIGSTOP);
}

ssize_t pread64(int fd, void *to, size_t count, off64_t at) {
    static ssize_t (*real)(int, void *, size_t, off64_t);
    if (!real)
        real = dlsym(RTLD_NEXT, "pread64");
    stop(fd);
    return real(fd, to, part(count), at);
}

ssize_t pwrite64(int fd, const void *from, size_t count, off64_t at) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real)
        real = dlsym(RTLD_NEXT, "pwrite64");
    return real(fd, from, part(count), at);
}

ssize_t read(int fd, void *to, size_t count) {
    static ssize_t (*real)(int, void *, size_t);
    if (!real)
        real = dlsym(RTLD_NEXT, "read");
    stop(fd);
    return real(fd, to, part(count));
}

ssize_t write(int fd, const void *from, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real)
        real = dlsym(RTLD_NEXT, "write");
    return real(fd, from, part(count));
}

__attribute__((destructor)) static void at_exit(void) {
    if (getenv("FAULTS_STOP_AT_EXIT"))
        raise(SIGSTOP);
}
