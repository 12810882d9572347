// No feature macros here: structures of the C library must look as they do in Swift's Glibc module.
#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
#include <pthread.h>
#include <time.h>

// Declared by glibc only under _GNU_SOURCE.
int pthread_setname_np(pthread_t thread, const char *name);
int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *deadline);
int dup3(int descriptor, int target, int flags);
