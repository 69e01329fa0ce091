#pragma once
#include <stddef.h>
/// Bytes that the binary carries.
struct lexicon {
    const unsigned char *_Nonnull bytes;
    size_t size;
};
/// VADER's words: `word TAB mean valence`, one a line.
struct lexicon lexicon_vader_words(void);
/// VADER's emoji of one code point: `emoji TAB description`, one a line.
struct lexicon lexicon_vader_emoji(void);
