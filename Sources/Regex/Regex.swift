// Regex: regular expressions over UTF-8 bytes, a safe face of PCRE2.
//
//   RegexCache.pattern(text) -> RegexPattern     compiled once, shared by threads
//   RegexMatcher(pattern)                        one a thread: match memory, limits, cancellation
//     .firstMatch(in: bytes, from:) -> Bool      then `range(of: group)`
//     .replace(in:with:into:)                    templates `$1`, `${name}`, `\$`
//
// Flavour: PCRE2 in UTF mode, which covers what Java's and Trino's (Joni) users write. Subjects must
// be valid UTF-8, as all our strings are; PCRE2 checks, and a subject that is not is a fault.
//
// Nothing a person writes can hang the process. A match first runs as machine code (PCRE2's JIT) with
// a small step limit; the rare one that reaches it runs again in the interpreter, where a callout
// before each item of the pattern asks whether the query was cancelled, until the large step, depth
// or heap limit (`RegexLimits`) ends it with a fault.
//
// Source: pcre2api(3), pcre2callout(3).
