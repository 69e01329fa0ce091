// The target is a header over a system library; SwiftPM wants one source file.
#include "CLz4.h"
