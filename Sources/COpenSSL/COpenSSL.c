// The target is a header over a system library; SwiftPM wants one source file.
#include "COpenSSL.h"
