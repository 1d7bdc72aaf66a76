/* Preloaded into a process: the FAULT_AT-th change to files under FAULT_DIR fails, or kills it.

   FAULT_KIND is ENOSPC, EIO or KILL. A change is a write, an fsync, a file that is made, cut short,
   renamed, linked or deleted, a directory that is made. When it happens FAULT_HIT is made. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int changes;

static int fault(const char *path) {
    const char *folder = getenv("FAULT_DIR"), *at = getenv("FAULT_AT"), *kind = getenv("FAULT_KIND");
    if (!folder || !at || !kind || strncmp(path, folder, strlen(folder))) return 0;
    if (__atomic_add_fetch(&changes, 1, __ATOMIC_SEQ_CST) != atoi(at)) return 0;
    syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, getenv("FAULT_HIT"), O_CREAT | O_WRONLY, 0600));
    if (!strcmp(kind, "KILL")) syscall(SYS_kill, getpid(), SIGKILL);
    errno = strcmp(kind, "EIO") ? ENOSPC : EIO;
    return 1;
}

static int fault_of(int descriptor) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fault(path);
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int d, const void *data, size_t n) {
    REAL(write);
    return fault_of(d) ? -1 : real(d, data, n);
}
ssize_t writev(int d, const struct iovec *data, int n) {
    REAL(writev);
    return fault_of(d) ? -1 : real(d, data, n);
}
int fsync(int d) {
    REAL(fsync);
    return fault_of(d) ? -1 : real(d);
}
int ftruncate(int d, off_t n) {
    REAL(ftruncate);
    return fault_of(d) ? -1 : real(d, n);
}
int ftruncate64(int d, off64_t n) {
    REAL(ftruncate64);
    return fault_of(d) ? -1 : real(d, n);
}
int truncate(const char *path, off_t n) {
    REAL(truncate);
    return fault(path) ? -1 : real(path, n);
}
int truncate64(const char *path, off64_t n) {
    REAL(truncate64);
    return fault(path) ? -1 : real(path, n);
}
int rename(const char *from, const char *to) {
    REAL(rename);
    return fault(to) ? -1 : real(from, to);
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    REAL(linkat);
    return fault(to) ? -1 : real(a, from, b, to, flags);
}
int unlink(const char *path) {
    REAL(unlink);
    const char *kind = getenv("FAULT_KIND"); /* what cannot be deleted is no fault of a disk */
    return kind && !strcmp(kind, "KILL") && fault(path) ? -1 : real(path);
}
int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return access(path, F_OK) && fault(path) ? -1 : real(path, mode);
}

#define OPEN(name)                                                 \
    int name(const char *path, int flags, ...) {                   \
        REAL(name);                                                \
        mode_t mode = 0;                                           \
        if (flags & O_CREAT) {                                     \
            va_list rest;                                          \
            va_start(rest, flags);                                 \
            mode = va_arg(rest, mode_t);                           \
            va_end(rest);                                          \
            if (fault(path)) return -1;                            \
        }                                                          \
        return real(path, flags, mode);                            \
    }
OPEN(open)
OPEN(open64)
