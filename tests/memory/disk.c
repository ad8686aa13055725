/* A disk that keeps a journal of what reaches it, or fails: preloaded (LD_PRELOAD) into a process that writes a memory.

   DISK_FOLDER   files below it are watched
   DISK_JOURNAL  a file that gets each write, truncation, flush and removal, in their order
   DISK_FAIL     "N ERRNO": the Nth of these calls fails with that error, and all later ones do, if ERRNO is negative */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

struct head { char op; char pad[3]; uint32_t name; int64_t at; int64_t size; };

static int journal = -1;
static long fail_at = -1, calls = 0;
static int fail_with = 0;
static const char *folder = NULL;

static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_ftruncate)(int, off64_t), (*real_unlink)(const char *);

__attribute__((constructor)) static void begin(void) {
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    folder = getenv("DISK_FOLDER");
    const char *path = getenv("DISK_JOURNAL"), *fail = getenv("DISK_FAIL");
    if (path) journal = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fail) sscanf(fail, "%ld %d", &fail_at, &fail_with);
}

static int watched(int fd, char *name) {
    char link[64];
    if (!folder || fd == journal) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, PATH_MAX - 1);
    if (n <= 0) return 0;
    name[n] = 0;
    return !strncmp(name, folder, strlen(folder)) && !strstr(name, "-shm");
}

static int fails(const char *name) {
    if (fail_at < 0 || strstr(name, ".acks")) return 0;
    long call = ++calls;
    if (call == fail_at || (fail_with < 0 && call > fail_at)) { errno = abs(fail_with); return 1; }
    return 0;
}

static void note(char op, const char *name, int64_t at, const void *data, int64_t size) {
    if (journal < 0) return;
    struct head head = { op, {0}, (uint32_t)strlen(name), at, size };
    real_write(journal, &head, sizeof head);
    real_write(journal, name, head.name);
    if (data) real_write(journal, data, size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    char name[PATH_MAX];
    if (!watched(fd, name)) return real_pwrite(fd, data, size, at);
    if (fails(name)) return -1;
    ssize_t done = real_pwrite(fd, data, size, at);
    if (done > 0) note('w', name, at, data, done);
    return done;
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }

ssize_t write(int fd, const void *data, size_t size) {
    char name[PATH_MAX];
    if (!real_write) return -1;
    if (!watched(fd, name)) return real_write(fd, data, size);
    if (fails(name)) return -1;
    off64_t at = lseek64(fd, 0, SEEK_CUR);
    if (fcntl(fd, F_GETFL) & O_APPEND) at = lseek64(fd, 0, SEEK_END);
    ssize_t done = real_write(fd, data, size);
    if (done > 0) note('w', name, at, data, done);
    return done;
}

static int flushed(int fd, int (*real)(int)) {
    char name[PATH_MAX];
    if (!watched(fd, name)) return real(fd);
    if (fails(name)) return -1;
    int done = real(fd);
    if (!done) note('f', name, 0, NULL, 0);
    return done;
}
int fsync(int fd) { return flushed(fd, real_fsync); }
int fdatasync(int fd) { return flushed(fd, real_fdatasync); }

int ftruncate64(int fd, off64_t size) {
    char name[PATH_MAX];
    if (!watched(fd, name)) return real_ftruncate(fd, size);
    if (fails(name)) return -1;
    int done = real_ftruncate(fd, size);
    if (!done) note('t', name, size, NULL, 0);
    return done;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int unlink(const char *name) {
    int done = real_unlink(name);
    if (!done && folder && !strncmp(name, folder, strlen(folder))) note('u', name, 0, NULL, 0);
    return done;
}
