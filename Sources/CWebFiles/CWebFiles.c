#include "CWebFiles.h"
const struct web_file web_files[] = {{"", (const unsigned char *)"", 0}};
const size_t web_file_count = 0;
