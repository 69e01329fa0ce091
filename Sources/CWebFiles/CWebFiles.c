// Written by `make web-list`: every file below web/, seeds/ and demos/. The compiler embeds the bytes
// (C23), so that a changed page is a rebuild of this file alone.
#include "CWebFiles.h"
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char file_0[] = {
#embed "../../web/empty.txt" suffix(, ) if_empty()
    0};

static const unsigned char file_1[] = {
#embed "../../web/x.txt" suffix(, ) if_empty()
    0};

const struct web_file web_files[] = {
    {"web/empty.txt", file_0, sizeof file_0 - 1},
    {"web/x.txt", file_1, sizeof file_1 - 1},
    {"", (const unsigned char *)"", 0}};
const size_t web_file_count = 2;
