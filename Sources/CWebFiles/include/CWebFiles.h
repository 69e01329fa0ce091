#pragma once
#include <stddef.h>
/// One embedded file: its path below the project's root (such as `web/app.css`) and its bytes.
struct web_file {
    const char *_Nonnull path;
    const unsigned char *_Nonnull bytes;
    size_t size;
};
/// How many files are embedded.
size_t web_file_count(void);
/// The file at an index below the count.
const struct web_file *_Nonnull web_file_at(size_t index);
