// Declarations only: inlining pulls in compiler intrinsics, whose headers collide with those of
// other C modules, and leaves debug builds without optimised hashing.
#include <xxhash.h>
