import CPCRE2

/// Matches one pattern against many subjects; one a thread.
package final class RegexMatcher {
    package let pattern: RegexPattern
    private let matchData: OpaquePointer
    /// Few steps, no callouts: for nearly all matches.
    private let quickContext: OpaquePointer
    private let context: OpaquePointer
    private let watch: Watch

    /// What the callout sees.
    private final class Watch {
        var isCancelled: () -> Bool
        var items = 0
        init(_ isCancelled: @escaping () -> Bool) { self.isCancelled = isCancelled }
    }

    /// `isCancelled` is asked every few thousand steps.
    package init(_ pattern: RegexPattern, isCancelled: @escaping () -> Bool = { false }) {
        self.pattern = pattern
        watch = Watch(isCancelled)
        guard let matchData = pcre2_match_data_create_from_pattern_8(pattern.code, nil),
            let quickContext = pcre2_match_context_create_8(nil),
            let context = pcre2_match_context_create_8(nil)
        else { preconditionFailure("out of memory") }
        self.matchData = matchData
        self.quickContext = quickContext
        self.context = context
        pcre2_set_match_limit_8(quickContext, RegexLimits.quickSteps)
        pcre2_set_depth_limit_8(quickContext, RegexLimits.depth)
        pcre2_set_heap_limit_8(quickContext, RegexLimits.heapKibibytes)
        pcre2_set_match_limit_8(context, RegexLimits.matchSteps)
        pcre2_set_depth_limit_8(context, RegexLimits.depth)
        pcre2_set_heap_limit_8(context, RegexLimits.heapKibibytes)
        pcre2_set_callout_8(
            context,
            { _, memory in
                guard let memory else { return 0 }
                let watch = Unmanaged<Watch>.fromOpaque(memory).takeUnretainedValue()
                watch.items &+= 1
                // The library's own limit counts backtracking points; what lies between them is work, too.
                guard watch.items <= RegexLimits.matchItems else { return PCRE2_ERROR_MATCHLIMIT }
                guard watch.items % RegexLimits.itemsPerCheck == 0 else { return 0 }
                return watch.isCancelled() ? PCRE2_ERROR_CALLOUT : 0
            },
            // The matcher owns the watch and outlives every match.
            Unmanaged.passUnretained(watch).toOpaque())
    }

    deinit {
        pcre2_match_data_free_8(matchData)
        pcre2_match_context_free_8(quickContext)
        pcre2_match_context_free_8(context)
    }

    /// Finds the first match at or after byte `start`; then `range(of:)` tells where. Throws
    /// `.limitExceeded`, `.cancelled` and `.invalidSubject`.
    package func firstMatch(
        in subject: UnsafeBufferPointer<UInt8>, from start: Int = 0
    ) throws(RegexError) -> Bool {
        try match(subject, from: start, isChecked: false)
    }

    /// With `isChecked` the subject is known to be UTF-8 from an earlier match, and `start` to be
    /// where a character begins.
    private func match(
        _ subject: UnsafeBufferPointer<UInt8>, from start: Int, isChecked: Bool
    ) throws(RegexError) -> Bool {
        guard start >= 0, start <= subject.count else { return false }
        var options: UInt32 = 0
        if isChecked { options |= UInt32(PCRE2_NO_UTF_CHECK) }
        var status = withUnsafePointer(to: UInt8(0)) { empty in
            pcre2_match_8(
                pattern.code, subject.baseAddress ?? empty, subject.count, start, options,
                matchData, quickContext)
        }
        if status == PCRE2_ERROR_MATCHLIMIT || status == PCRE2_ERROR_DEPTHLIMIT
            || status == PCRE2_ERROR_HEAPLIMIT || status == PCRE2_ERROR_JIT_STACKLIMIT
        {
            // A long match: again from its start, slower, with somebody watching.
            watch.items = 0
            status = withUnsafePointer(to: UInt8(0)) { empty in
                pcre2_match_8(
                    pattern.watchedCode, subject.baseAddress ?? empty, subject.count, start,
                    options | UInt32(PCRE2_NO_UTF_CHECK), matchData, context)
            }
        }
        if status >= 0 { return true }
        switch status {
        case PCRE2_ERROR_NOMATCH:
            return false
        case PCRE2_ERROR_CALLOUT:
            throw RegexError(
                code: .cancelled, message: "the regular expression match was cancelled")
        case PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT, PCRE2_ERROR_HEAPLIMIT:
            throw RegexError(
                code: .limitExceeded,
                message: "the regular expression takes too many steps: \(pattern.text.prefix(200))",
                hint: "avoid nested repetitions such as (a+)+, or anchor the pattern")
        default:
            throw RegexError(
                code: .invalidSubject,
                message: "the text cannot be matched: \(RegexPattern.describe(status))")
        }
    }

    /// The bytes of a group of the last match; nil if the group took no part. Group 0 is the match.
    package func range(of group: Int) -> Range<Int>? {
        guard group >= 0, group <= pattern.groupCount,
            let offsets = pcre2_get_ovector_pointer_8(matchData)
        else { return nil }
        let start = offsets[group * 2]
        let end = offsets[group * 2 + 1]
        // PCRE2_UNSET is the largest number. \K in a lookahead can put the end before the start.
        guard start != Int.max, start != -1, end >= start else { return nil }
        return start..<end
    }

    /// Calls `body` for each match in turn, empty ones included, until it returns false. After an
    /// empty match the search goes on behind the next character, as java.util.regex and JONI do.
    package func forEachMatch(
        in subject: UnsafeBufferPointer<UInt8>, _ body: (RegexMatcher) throws(RegexError) -> Bool
    ) throws(RegexError) {
        var at = 0
        var isChecked = false
        while at <= subject.count {
            guard try match(subject, from: at, isChecked: isChecked) else { return }
            guard let range = range(of: 0) else { return }
            // \K in a lookbehind could stay where it was for ever.
            guard range.upperBound > at || (range.isEmpty && range.upperBound == at) else { return }
            isChecked = true
            guard try body(self) else { return }
            at = range.upperBound
            guard range.isEmpty else { continue }
            at += 1
            while at < subject.count, subject[at] & 0xC0 == 0x80 { at += 1 }
        }
    }

    /// How many matches there are.
    package func count(in subject: UnsafeBufferPointer<UInt8>) throws(RegexError) -> Int {
        var count = 0
        try forEachMatch(in: subject) { _ throws(RegexError) in
            count += 1
            return true
        }
        return count
    }

    /// Appends `subject` with every match replaced to `output`.
    package func replace(
        in subject: UnsafeBufferPointer<UInt8>, with replacement: RegexReplacement,
        into output: inout [UInt8]
    ) throws(RegexError) {
        var copied = 0
        var result = output
        output = []
        defer { output = result }
        try forEachMatch(in: subject) { matcher throws(RegexError) in
            guard let range = matcher.range(of: 0) else { return false }
            result.append(contentsOf: subject[copied..<max(copied, range.lowerBound)])
            for part in replacement.parts {
                switch part {
                case .text(let bytes): result.append(contentsOf: bytes)
                case .group(let group):
                    if let group = matcher.range(of: group) {
                        result.append(contentsOf: subject[group])
                    }
                }
            }
            copied = max(copied, range.upperBound)
            return true
        }
        result.append(contentsOf: subject[copied...])
    }
}

extension RegexMatcher {
    /// Whether the pattern occurs in a string.
    package func matches(_ text: String) throws(RegexError) -> Bool {
        try Array(text.utf8).withUnsafeBufferPointer { bytes throws(RegexError) in
            try firstMatch(in: bytes)
        }
    }

    /// A group of every match of a string; nil where the group took no part.
    package func all(_ text: String, group: Int = 0) throws(RegexError) -> [String?] {
        var found: [String?] = []
        try Array(text.utf8).withUnsafeBufferPointer { bytes throws(RegexError) in
            try forEachMatch(in: bytes) { matcher throws(RegexError) in
                found.append(
                    matcher.range(of: group).map { String(decoding: bytes[$0], as: UTF8.self) })
                return true
            }
        }
        return found
    }

    /// A string with every match replaced by a template.
    package func replacing(_ text: String, with template: String) throws(RegexError) -> String {
        let replacement = try RegexReplacement(template, for: pattern)
        var output: [UInt8] = []
        try Array(text.utf8).withUnsafeBufferPointer { bytes throws(RegexError) in
            try replace(in: bytes, with: replacement, into: &output)
        }
        return String(decoding: output, as: UTF8.self)
    }
}
