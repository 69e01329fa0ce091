// The lexicon of VADER 3.3.2 (C.J. Hutto, MIT; see NOTICE), embedded by the compiler (C23). Of the
// published files the deviations and ratings are left out, as are words that no token can equal
// (capitals, blanks) and emoji of several code points, which VADER never matches.
#include "CLexicons.h"
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char words[] = {
#embed "vader-words.tsv" suffix(, )
    0};

static const unsigned char emoji[] = {
#embed "vader-emoji.tsv" suffix(, )
    0};

struct lexicon lexicon_vader_words(void) { return (struct lexicon){words, sizeof words - 1}; }
struct lexicon lexicon_vader_emoji(void) { return (struct lexicon){emoji, sizeof emoji - 1}; }
