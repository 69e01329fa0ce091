// Written by `make web-list`: every file below web/, seeds/ and demos/. The compiler embeds the bytes
// (C23), so that a changed page is a rebuild of this file alone.
#include "CWebFiles.h"
#pragma clang diagnostic ignored "-Wc23-extensions"

const struct web_file web_files[] = {
    {"", (const unsigned char *)"", 0}};
const size_t web_file_count = 0;
