// Diagnostics: how the whole product says that something went wrong.
//
// Three kinds of trouble (house style, section 4): a `Fault` that somebody can act on is thrown; an
// expected absence is an optional; a broken promise of our own is an `invariant`, which stops the
// process, since startup recovers. `SourceSpan` points into a text; `nearestName` finds the word that
// was probably meant. The module imports nothing, so that every other may use it.
