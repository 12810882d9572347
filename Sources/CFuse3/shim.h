// No feature macros here: structures of the C library must look as they do in Swift's Glibc module.
#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
#include <linux/stat.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>

// Declared by glibc only under _GNU_SOURCE.
int pthread_setname_np(pthread_t thread, const char *name);
int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *deadline);
int dup3(int descriptor, int target, int flags);
int statx(int directory, const char *path, int flags, unsigned int mask, struct statx *result);

// Device number of the file system at a path, without asking the file system
// (AT_STATX_DONT_SYNC); 0 on success.
static inline int galleonfs_device_of(const char *path, unsigned int *major, unsigned int *minor) {
  struct statx result;
  if (statx(-100, path, 0x4000, 0, &result) != 0) return -1;
  *major = result.stx_dev_major;
  *minor = result.stx_dev_minor;
  return 0;
}

// Tells the kernel that this thread cleans dirty pages (PR_SET_IO_FLUSHER): its allocations must
// not wait for them. Needs CAP_SYS_RESOURCE; 0 on success.
static inline int galleonfs_set_io_flusher(void) { return prctl(57, 1, 0, 0, 0); }
