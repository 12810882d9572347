#define XXH_INLINE_ALL 1
#include <xxhash.h>
