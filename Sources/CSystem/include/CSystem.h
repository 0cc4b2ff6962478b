// What glibc hides behind _GNU_SOURCE or behind variadic functions, which Swift does not import, and what
// only the processor has.
#ifndef INGOT_CSYSTEM_H
#define INGOT_CSYSTEM_H
#include <sys/types.h>

/// Tells the processor that this thread looks out for another's change.
static inline void ingot_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#if defined(__linux__)
/// Flags of `open` for a file without a name in the given folder.
int ingot_open_unnamed(int folder, const char *path, mode_t mode);
/// `openat2` with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; ENOSYS where the kernel lacks it.
int ingot_open_beneath(int folder, const char *path, int flags);
/// Creates the file `path` in `folder` for reading and writing; fails where the name is taken.
int ingot_create_exclusive(int folder, const char *path, mode_t mode);
/// Reserves the first `size` bytes; returns 0, or the errno (EOPNOTSUPP where the file system cannot).
int ingot_reserve(int descriptor, off_t size);
/// Renames without replacing; EEXIST where the new name is taken.
int ingot_rename_exclusive(int folder, const char *from, const char *to);
/// Gives the unnamed file `descriptor` the name `path` in `folder`; EEXIST where it is taken.
int ingot_link_unnamed(int descriptor, int folder, const char *path);
/// Reads the access control list of the file `path` in `folder`, as the system keeps it; returns its size,
/// 0 where the file has none, or -1.
int ingot_read_access_list(int folder, const char *path, void *list, size_t size);
/// Gives a file an access control list; of size 0, takes away the one that it has. Returns 0 or -1.
int ingot_write_access_list(int descriptor, const void *list, size_t size);
/// Lets the heap grow by `count` bytes at a time, shrink by no less than twice that, and asks for huge
/// pages under the first of them.
void ingot_prefer_huge_heap(size_t count);
/// Asks for huge pages under the whole pages of a buffer that nothing was written to yet.
void ingot_prefer_huge_pages(void *bytes, size_t count);
#endif
#endif
