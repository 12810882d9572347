#include "CProtoMessages.h"
