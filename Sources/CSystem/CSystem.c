#define _GNU_SOURCE
#include "CSystem.h"
#if defined(__linux__)
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

int ingot_open_unnamed(int folder, const char *path, mode_t mode) {
  return openat(folder, path, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
}

int ingot_open_beneath(int folder, const char *path, int flags) {
#ifdef SYS_openat2
  // struct open_how of linux/openat2.h, which Debian 12's headers have and older ones lack.
  struct {
    uint64_t flags, mode, resolve;
  } how = {(uint64_t)flags, 0, 0x08 /* RESOLVE_BENEATH */ | 0x04 /* RESOLVE_NO_SYMLINKS */};
  return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
#else
  errno = ENOSYS;
  return -1;
#endif
}

int ingot_create_exclusive(int folder, const char *path, mode_t mode) {
  return openat(folder, path, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, mode);
}

int ingot_reserve(int descriptor, off_t size) {
  // Not posix_fallocate: where the file system cannot, glibc writes every block instead.
  return fallocate(descriptor, 0, 0, size) == 0 ? 0 : errno;
}

int ingot_rename_exclusive(int folder, const char *from, const char *to) {
  return renameat2(folder, from, folder, to, RENAME_NOREPLACE);
}

int ingot_link_unnamed(int descriptor, int folder, const char *path) {
  // linkat(fd, "", …, AT_EMPTY_PATH) needs CAP_DAC_READ_SEARCH; the way through /proc does not.
  char source[64];
  snprintf(source, sizeof source, "/proc/self/fd/%d", descriptor);
  return linkat(AT_FDCWD, source, folder, path, AT_SYMLINK_FOLLOW);
}

static const char access_list[] = "system.posix_acl_access";

int ingot_read_access_list(int folder, const char *path, void *list, size_t size) {
  // Who may replace a file need not be able to read it, so it is opened for nothing; such a descriptor has
  // attributes through /proc only.
  const int file = openat(folder, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return -1;
  char source[64];
  snprintf(source, sizeof source, "/proc/self/fd/%d", file);
  ssize_t count = getxattr(source, access_list, list, size);
  if (count < 0 && errno == ENOENT) {
    // There is no /proc.
    const int readable = openat(folder, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    count = readable < 0 ? -1 : fgetxattr(readable, access_list, list, size);
    const int code = errno;
    if (readable >= 0) close(readable);
    errno = code;
  }
  if (count < 0 && (errno == ENODATA || errno == EOPNOTSUPP)) count = 0;
  const int code = errno;
  close(file);
  errno = code;
  return (int)count;
}

int ingot_write_access_list(int descriptor, const void *list, size_t size) {
  if (size > 0) return fsetxattr(descriptor, access_list, list, size, 0);
  if (fremovexattr(descriptor, access_list) == 0) return 0;
  return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -1;
}

void ingot_prefer_huge_heap(size_t count) {
#if defined(__GLIBC__)
  mallopt(M_TOP_PAD, (int)count);
  mallopt(M_MMAP_THRESHOLD, (int)count);
  // What is given back is soon asked for again, and the system clears every page of it each time.
  mallopt(M_TRIM_THRESHOLD, (int)(2 * count));
  // More than the heap has at the start: it grows. Volatile, lest the compiler leave the pair out.
  void *volatile block = malloc(1 << 20);
  free(block);
  ingot_prefer_huge_pages((char *)sbrk(0) - count, count);
#else
  (void)count;
#endif
}

void ingot_prefer_huge_pages(void *bytes, size_t count) {
  const uintptr_t page = 4096, start = ((uintptr_t)bytes + page - 1) & ~(page - 1);
  const uintptr_t end = ((uintptr_t)bytes + count) & ~(page - 1);
  // Advice: where it is not taken, everything works as before.
  if (start < end) madvise((void *)start, end - start, MADV_HUGEPAGE);
}
#endif
