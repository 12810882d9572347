// Shims over system calls that Swift cannot import (variadic or macro).
#include "CLinuxProcess.h"
