#include <pthread.h>
#include <sys/types.h>

#include <rocksdb/c.h>

// Functions of the C library that its headers show under _GNU_SOURCE only, which is not set when
// Swift imports them (syncfs(2), fallocate(2), pthread_setname_np(3)).
int syncfs(int descriptor);
int fallocate(int descriptor, int mode, off_t offset, off_t byteCount);
int pthread_setname_np(pthread_t thread, const char *name);

enum {
  GALLEON_FALLOC_FL_KEEP_SIZE = 0x01,
  GALLEON_FALLOC_FL_PUNCH_HOLE = 0x02,
};
