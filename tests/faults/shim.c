/* A disk that fails, or a power cut, at a chosen call: LD_PRELOAD for the processes of a test.
 *
 * What changes the disk goes through these calls of libc, be it Python's, pyarrow's or Polars'. Those that concern paths
 * below FAULT_PREFIX are counted in FAULT_SHARED, over all processes. From call FAULT_AT on, of the kinds in FAULT_OPS,
 * FAULT_HOW happens: an errno (every time), "kill" (all processes, before the call), "torn" (the same, with half of what
 * was to be written on the disk) or "worker" (this process alone). FAULT_LOG gets a line for each call counted.
 * `fault_arm` reads the variables again, for a process that was forked. FAULT_HOST is the name of the machine, if set.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

static char prefix[PATH_MAX];
static const char *ops = "", *how = "";
static long at, root;
static int log_to = -1;
static atomic_long *counter;

void fault_arm(void) {
    const char *shared = getenv("FAULT_SHARED"), *log = getenv("FAULT_LOG"), *below = getenv("FAULT_PREFIX");
    prefix[0] = 0;
    if (!below || !shared) return;
    ops = strdup(getenv("FAULT_OPS")), how = strdup(getenv("FAULT_HOW"));
    at = atol(getenv("FAULT_AT")), root = atol(getenv("FAULT_ROOT"));
    int file = (int)syscall(SYS_openat, AT_FDCWD, shared, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    syscall(SYS_close, file);
    log_to = log ? (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : -1;
    snprintf(prefix, sizeof prefix, "%s/", below);
}

__attribute__((constructor)) static void start(void) { fault_arm(); }

static int inside(int folder, const char *name, char *full) {
    char link[64];
    full[0] = 0;
    if (!prefix[0]) return 0;
    if (name && name[0] == '/') snprintf(full, PATH_MAX, "%s", name);
    else {
        if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, full, PATH_MAX - 1);
        if (n < 0) return 0;
        full[n] = 0;
        if (name) snprintf(full + n, PATH_MAX - n, "/%s", name);
    }
    return strncmp(full, prefix, strlen(prefix)) == 0;
}

static void die(void) {
    if (root && root != getpid() && strcmp(how, "worker")) kill((pid_t)root, SIGKILL);
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

/* 1 where the call must be torn, -1 with errno set where it must fail, 0 where it may go on. */
static int strikes(const char *op, int folder, const char *name) {
    char full[PATH_MAX], line[PATH_MAX + 64];
    int kept = errno;
    if (!inside(folder, name, full) || (strcmp(ops, "all") && !strstr(ops, op))) { errno = kept; return 0; }
    long n = atomic_fetch_add(counter, 1) + 1;
    if (log_to >= 0) {
        int length = snprintf(line, sizeof line, "%ld %s %s\n", n, op, full + strlen(prefix));
        syscall(SYS_write, log_to, line, length);
    }
    errno = kept;
    if (!at || n < at) return 0;
    if (how[0] >= '0' && how[0] <= '9') { errno = atoi(how); return -1; }
    if (n > at) return 0;
    if (strcmp(how, "torn") == 0 && (strcmp(op, "write") == 0)) return 1;
    die();
    return 0;
}

#define REAL(type, name) static type (*real)() = NULL; if (!real) real = (type(*)())dlsym(RTLD_NEXT, #name)
#define WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)
#define OPEN(NAME, FOLDER, HEAD, PASS) \
    int NAME HEAD { \
        mode_t mode = 0; \
        if (flags & O_CREAT) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
        if ((flags & WRITES) && strikes("create", FOLDER, path) < 0) return -1; \
        REAL(int, NAME); \
        return real PASS; \
    }
OPEN(open, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, folder, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPEN(openat64, folder, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))

#define WRITE(NAME, TYPE, OP, FD, HEAD, PASS, HALF) \
    TYPE NAME HEAD { \
        int struck = strikes(OP, FD, NULL); \
        if (struck < 0) return -1; \
        REAL(TYPE, NAME); \
        if (struck) { HALF; die(); } \
        return real PASS; \
    }
WRITE(write, ssize_t, "write", fd, (int fd, const void *data, size_t n), (fd, data, n), real(fd, data, n / 2))
WRITE(pwrite, ssize_t, "write", fd, (int fd, const void *data, size_t n, off_t to), (fd, data, n, to), real(fd, data, n / 2, to))
WRITE(pwrite64, ssize_t, "write", fd, (int fd, const void *data, size_t n, off64_t to), (fd, data, n, to), real(fd, data, n / 2, to))
WRITE(writev, ssize_t, "write", fd, (int fd, const struct iovec *data, int n), (fd, data, n), real(fd, data, n / 2))
WRITE(sendfile, ssize_t, "write", fd, (int fd, int in, off_t *from, size_t n), (fd, in, from, n), real(fd, in, from, n / 2))
WRITE(sendfile64, ssize_t, "write", fd, (int fd, int in, off64_t *from, size_t n), (fd, in, from, n), real(fd, in, from, n / 2))
WRITE(fsync, int, "sync", fd, (int fd), (fd), )
WRITE(fdatasync, int, "sync", fd, (int fd), (fd), )
WRITE(ftruncate, int, "truncate", fd, (int fd, off_t n), (fd, n), )
WRITE(ftruncate64, int, "truncate", fd, (int fd, off64_t n), (fd, n), )

/* numpy writes through stdio, whose own calls nobody can step between. */
size_t fwrite(const void *data, size_t size, size_t n, FILE *file) {
    int struck = strikes("write", fileno(file), NULL);
    if (struck < 0) return 0;
    REAL(size_t, fwrite);
    if (struck) { real(data, size, n / 2, file); fflush(file); die(); }
    return real(data, size, n, file);
}

#define NAMED(NAME, OP, FOLDER, PATH, HEAD, PASS) \
    int NAME HEAD { \
        if (strikes(OP, FOLDER, PATH) < 0) return -1; \
        REAL(int, NAME); \
        return real PASS; \
    }
NAMED(rename, "rename", AT_FDCWD, to, (const char *from, const char *to), (from, to))
NAMED(renameat, "rename", b, to, (int a, const char *from, int b, const char *to), (a, from, b, to))
NAMED(renameat2, "rename", b, to, (int a, const char *from, int b, const char *to, unsigned f), (a, from, b, to, f))
NAMED(link, "link", AT_FDCWD, to, (const char *from, const char *to), (from, to))
NAMED(linkat, "link", b, to, (int a, const char *from, int b, const char *to, int f), (a, from, b, to, f))
NAMED(unlink, "unlink", AT_FDCWD, path, (const char *path), (path))
NAMED(unlinkat, "unlink", folder, path, (int folder, const char *path, int f), (folder, path, f))
NAMED(rmdir, "unlink", AT_FDCWD, path, (const char *path), (path))
NAMED(mkdir, "mkdir", AT_FDCWD, path, (const char *path, mode_t m), (path, m))
NAMED(mkdirat, "mkdir", folder, path, (int folder, const char *path, mode_t m), (folder, path, m))

int gethostname(char *name, size_t n) {
    REAL(int, gethostname);
    const char *host = getenv("FAULT_HOST");
    return host ? snprintf(name, n, "%s", host), 0 : real(name, n);
}

int uname(struct utsname *found) {
    REAL(int, uname);
    int status = real(found);
    const char *host = getenv("FAULT_HOST");
    if (host) snprintf(found->nodename, sizeof found->nodename, "%s", host);
    return status;
}
