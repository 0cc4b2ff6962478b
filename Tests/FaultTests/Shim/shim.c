// Preloaded before libc, this counts the system calls of a program by kind, records them, and makes one fail.
//
//   FAULT_LOG    a file that gets one line for each call: its kind, descriptors, numbers and names
//   FAULT_DATA   a file that gets the bytes of every write, in the order of the log
//   FAULT_CALL   the kind of call that is hit
//   FAULT_AT     which of them, from 1 on
//   FAULT_FOR    how many from there on (1), or 0 for all
//   FAULT_EVERY  only every so many of them (1)
//   FAULT_DO     errno:N, half, one, zero, flip; or, before the call: kill:SIGNAL, and of FAULT_FILE:
//                truncate:SIZE, append, change (one byte), replace (by FAULT_FILE.other), remove
//   FAULT_FILE   the file that another process could change
//   FAULT_ALWAYS calls that fail throughout, kind=errno with commas between
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#ifndef O_TMPFILE
#error "this shim is for Linux"
#endif
#define IS_TMPFILE(flags) (((flags) & O_TMPFILE) == O_TMPFILE)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -1, data_file = -1;
static const char *hit_kind, *hit_action, *hit_file, *always;
static long hit_at, hit_for = 1, hit_every = 1, reached;

__attribute__((constructor)) static void start(void) {
  const char *path, *number;
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  if ((path = getenv("FAULT_LOG"))) log_file = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
  if ((path = getenv("FAULT_DATA"))) data_file = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
  hit_kind = getenv("FAULT_CALL");
  hit_action = getenv("FAULT_DO");
  hit_file = getenv("FAULT_FILE");
  always = getenv("FAULT_ALWAYS");
  if ((number = getenv("FAULT_AT"))) hit_at = atol(number);
  if ((number = getenv("FAULT_FOR"))) hit_for = atol(number);
  if ((number = getenv("FAULT_EVERY"))) hit_every = atol(number);
  // A hang is an end by signal, which no test accepts.
  alarm(60);
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/// Does to a file what another process could do to it; returns whether the action is of that kind.
static int disturb(const char *path, const char *action) {
  if (strcmp(action, "replace") == 0) {
    char other[4096];
    snprintf(other, sizeof other, "%s.other", path);
    syscall(SYS_rename, other, path);
    return 1;
  }
  if (strcmp(action, "remove") == 0) {
    if (syscall(SYS_unlinkat, AT_FDCWD, path, 0) != 0) {
      syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
    }
    return 1;
  }
  if (strncmp(action, "truncate:", 9) == 0) {
    syscall(SYS_truncate, path, atol(action + 9));
    return 1;
  }
  const int appends = strcmp(action, "append") == 0;
  if (!appends && strcmp(action, "change") != 0) return 0;
  const int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY);
  const long size = syscall(SYS_lseek, file, 0L, SEEK_END);
  syscall(SYS_pwrite64, file, "\xA5", 1L, appends ? size : size * 3 / 4);
  syscall(SYS_close, file);
  return 1;
}

/// The errno with which calls of this kind fail throughout, or 0.
static int fails_always(const char *kind) {
  const char *at = always;
  const size_t length = strlen(kind);
  while (at) {
    if (strncmp(at, kind, length) == 0 && at[length] == '=') return atoi(at + length + 1);
    at = strchr(at, ',');
    if (at) ++at;
  }
  return 0;
}

/// Takes a call's turn: returns the action if this call is the one that is hit, else null.
static const char *take(const char *kind) {
  if (!hit_kind || !hit_action || strcmp(kind, hit_kind) != 0) return NULL;
  const long number = __atomic_add_fetch(&reached, 1, __ATOMIC_SEQ_CST);
  if (number < hit_at || (hit_for && number >= hit_at + hit_for)) return NULL;
  if ((number - hit_at) % hit_every != 0) return NULL;
  if (strncmp(hit_action, "kill:", 5) == 0) {
    kill(getpid(), atoi(hit_action + 5));
    // The signal is taken by a thread of its own: it gets the time to end the process here.
    const struct timespec moment = {0, 100000000};
    nanosleep(&moment, NULL);
    return NULL;
  }
  if (hit_file && disturb(hit_file, hit_action)) return NULL;
  return hit_action;
}

/// Whether the call is to fail; sets errno then.
static int fails(const char *kind, const char *action) {
  const int code = fails_always(kind);
  if (code) {
    errno = code;
    return 1;
  }
  if (!action || strncmp(action, "errno:", 6) != 0) return 0;
  errno = atoi(action + 6);
  return 1;
}

/// Shortens a transfer where the action asks for it.
static size_t shortened(const char *action, size_t count) {
  if (!action) return count;
  if (strcmp(action, "half") == 0) return count > 1 ? count / 2 : count;
  if (strcmp(action, "one") == 0) return count > 1 ? 1 : count;
  if (strcmp(action, "zero") == 0) return 0;
  return count;
}

// While a log is kept, calls happen one at a time, so that the log has their order.
#define BEGIN if (log_file >= 0) pthread_mutex_lock(&lock)
#define END if (log_file >= 0) { const int kept = errno; pthread_mutex_unlock(&lock); errno = kept; }

static void note(const char *kind, long first, long second, long third, const char *name,
                 const char *other) {
  if (log_file < 0) return;
  const int kept = errno;
  char line[9000];
  const int count = snprintf(line, sizeof line, "%s\t%ld\t%ld\t%ld\t%s\t%s\n", kind, first, second,
                             third, name ? name : "", other ? other : "");
  syscall(SYS_write, log_file, line, (long)count);
  errno = kept;
}

static int opened(int folder, const char *path, int flags, mode_t mode, const char *kind) {
  const char *action = take(kind);
  BEGIN;
  const int result = fails(kind, action) ? -1 : (int)syscall(SYS_openat, folder, path, flags, mode);
  note(kind, result, folder, flags, path, NULL);
  END;
  return result;
}

static const char *kind_of_open(int flags) {
  return IS_TMPFILE(flags) ? "open-unnamed" : flags & O_CREAT ? "create"
         : flags & O_DIRECTORY ? "open-folder" : "open";
}

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    va_list rest; \
    va_start(rest, flags); \
    const mode_t mode = flags & O_CREAT || IS_TMPFILE(flags) ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    return opened(AT_FDCWD, path, flags, mode, kind_of_open(flags)); \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
  int name(int folder, const char *path, int flags, ...) { \
    va_list rest; \
    va_start(rest, flags); \
    const mode_t mode = flags & O_CREAT || IS_TMPFILE(flags) ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    return opened(folder, path, flags, mode, kind_of_open(flags)); \
  }
OPENAT(openat)
OPENAT(openat64)

/// `openat2` has no function of its own in glibc; everything else passes.
long syscall(long number, ...) {
  static long (*real)(long, ...);
  if (!real) real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  va_list rest;
  va_start(rest, number);
  long a[6];
  for (int index = 0; index < 6; ++index) a[index] = va_arg(rest, long);
  va_end(rest);
  if (number != SYS_openat2) return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  const char *action = take("open");
  BEGIN;
  const long result = fails("open", action) ? -1 : real(number, a[0], a[1], a[2], a[3]);
  note("open", result, a[0], 0, (const char *)a[1], NULL);
  END;
  return result;
}

#define READ(name) \
  ssize_t name(int file, void *bytes, size_t count, off_t offset) { \
    const char *action = take("read"); \
    BEGIN; \
    const ssize_t result = fails("read", action) ? -1 \
      : syscall(SYS_pread64, (long)file, bytes, shortened(action, count), (long)offset); \
    note("read", file, (long)offset, result, NULL, NULL); \
    END; \
    return result; \
  }
READ(pread)
READ(pread64)

#define WRITE(name) \
  ssize_t name(int file, const void *bytes, size_t count, off_t offset) { \
    const char *action = take("write"); \
    BEGIN; \
    ssize_t result = -1; \
    if (!fails("write", action)) { \
      unsigned char *copy = NULL; \
      if (action && strcmp(action, "flip") == 0 && count > 0 && (copy = malloc(count))) { \
        memcpy(copy, bytes, count); \
        copy[count / 2] ^= 0x10; \
        bytes = copy; \
      } \
      result = syscall(SYS_pwrite64, (long)file, bytes, shortened(action, count), (long)offset); \
      if (result > 0 && data_file >= 0) syscall(SYS_write, (long)data_file, bytes, (long)result); \
      free(copy); \
    } \
    note("write", file, (long)offset, result, NULL, NULL); \
    END; \
    return result; \
  }
WRITE(pwrite)
WRITE(pwrite64)

ssize_t write(int file, const void *bytes, size_t count) {
  const char *action = take("print");
  BEGIN;
  const ssize_t result =
    fails("print", action) ? -1 : syscall(SYS_write, (long)file, bytes, shortened(action, count));
  note("print", file, 0, result, NULL, NULL);
  END;
  return result;
}

// Calls that give 0 or -1.
#define PLAIN(kind, name, parameters, arguments, first, second, text, other) \
  int name parameters { \
    REAL(name); \
    const char *action = take(kind); \
    BEGIN; \
    const int result = fails(kind, action) ? -1 : real arguments; \
    note(kind, first, second, result, text, other); \
    END; \
    return result; \
  }
PLAIN("reserve", fallocate, (int file, int mode, off_t offset, off_t count),
      (file, mode, offset, count), file, (long)count, NULL, NULL)
PLAIN("truncate", ftruncate, (int file, off_t size), (file, size), file, (long)size, NULL, NULL)
PLAIN("truncate", ftruncate64, (int file, off_t size), (file, size), file, (long)size, NULL, NULL)
PLAIN("sync", fsync, (int file), (file), file, 0, NULL, NULL)
PLAIN("sync", fdatasync, (int file), (file), file, 0, NULL, NULL)
PLAIN("chmod", fchmod, (int file, mode_t mode), (file, mode), file, (long)mode, NULL, NULL)
PLAIN("permit", fsetxattr, (int file, const char *name, const void *value, size_t size, int flags),
      (file, name, value, size, flags), file, (long)size, name, NULL)
PLAIN("permit", fremovexattr, (int file, const char *name), (file, name), file, 0, name, NULL)
PLAIN("link", linkat, (int a, const char *from, int b, const char *to, int flags),
      (a, from, b, to, flags), a, b, from, to)
PLAIN("rename", renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), a, b,
      from, to)
PLAIN("rename", renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
      (a, from, b, to, flags), a, b, from, to)
PLAIN("unlink", unlinkat, (int folder, const char *name, int flags), (folder, name, flags), folder, 0,
      name, NULL)
PLAIN("unlink", unlink, (const char *name), (name), AT_FDCWD, 0, name, NULL)
PLAIN("status", fstat, (int file, struct stat *status), (file, status), file, 0, NULL, NULL)
PLAIN("status-of-name", fstatat,
      (int folder, const char *name, struct stat *status, int flags), (folder, name, status, flags),
      folder, 0, name, NULL)
PLAIN("status-of-name", stat, (const char *name, struct stat *status), (name, status), AT_FDCWD, 0,
      name, NULL)
PLAIN("access", faccessat, (int folder, const char *name, int mode, int flags),
      (folder, name, mode, flags), folder, 0, name, NULL)
PLAIN("duplicate", dup, (int file), (file), file, 0, NULL, NULL)

ssize_t getxattr(const char *path, const char *name, void *value, size_t size) {
  REAL(getxattr);
  const char *action = take("permissions");
  BEGIN;
  const ssize_t result = fails("permissions", action) ? -1 : real(path, name, value, size);
  note("permissions", 0, 0, result, path, name);
  END;
  return result;
}

/// A close that fails has closed all the same.
int close(int file) {
  const char *action = take("close");
  BEGIN;
  int result = (int)syscall(SYS_close, (long)file);
  if (fails("close", action)) result = -1;
  note("close", file, 0, result, NULL, NULL);
  END;
  return result;
}
