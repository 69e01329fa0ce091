#pragma once
#include <stddef.h>
/// One embedded file: its path below the project's root (such as `web/app.css`) and its bytes.
struct web_file {
    const char *_Nonnull path;
    const unsigned char *_Nonnull bytes;
    size_t size;
};
extern const struct web_file web_files[];
extern const size_t web_file_count;
