import CPCRE2
import Synchronization

/// A compiled pattern. Immutable, shared by threads.
package final class RegexPattern: Sendable {
    // Safe because PCRE2 never changes a compiled pattern after compilation.
    nonisolated(unsafe) let code: OpaquePointer
    /// The same with a callout before each item, for matches that turn out to be long.
    nonisolated(unsafe) let watchedCode: OpaquePointer
    /// The text it was compiled from.
    package let text: String
    /// How many capturing groups there are, the whole match not counted.
    package let groupCount: Int

    /// Compiles. Throws `.invalidPattern` with the byte offset of the trouble.
    package init(_ text: String, ignoresCase: Bool = false) throws(RegexError) {
        let size = text.utf8.count
        guard size <= RegexLimits.patternBytes else {
            throw RegexError(
                code: .limitExceeded,
                message: "the pattern has \(size) bytes, the limit is \(RegexLimits.patternBytes)")
        }
        var options = UInt32(PCRE2_UTF) | UInt32(PCRE2_NEVER_BACKSLASH_C)
        if ignoresCase { options |= UInt32(PCRE2_CASELESS) }
        let own = RegexBlocks.expanded(text)
        let compiled = try RegexPattern.compile(own, options)
        // Where the system forbids code at run time this fails, and the interpreter matches.
        pcre2_jit_compile_8(compiled, UInt32(PCRE2_JIT_COMPLETE))
        do {
            watchedCode = try RegexPattern.compile(own, options | UInt32(PCRE2_AUTO_CALLOUT))
        } catch {
            pcre2_code_free_8(compiled)
            throw error
        }
        code = compiled
        self.text = text
        var groups: UInt32 = 0
        pcre2_pattern_info_8(compiled, UInt32(PCRE2_INFO_CAPTURECOUNT), &groups)
        groupCount = Int(groups)
    }

    deinit {
        pcre2_code_free_8(code)
        pcre2_code_free_8(watchedCode)
    }

    private static func compile(
        _ text: String, _ options: UInt32
    ) throws(RegexError) -> OpaquePointer {
        var copy = text
        var status: Int32 = 0
        var offset = 0
        let compiled = copy.withUTF8 { bytes in
            // PCRE2 wants a pointer even for no bytes.
            withUnsafePointer(to: UInt8(0)) { empty in
                pcre2_compile_8(
                    bytes.baseAddress ?? empty, bytes.count, options, &status, &offset, nil)
            }
        }
        guard let compiled else {
            throw RegexError(
                code: .invalidPattern,
                message: "invalid regular expression: \(RegexPattern.describe(status)) "
                    + "at byte \(offset): \(text.prefix(200))",
                hint: "write a backslash before characters that stand for themselves",
                offset: offset)
        }
        return compiled
    }

    /// The number of a named group.
    package func group(named name: String) -> Int? {
        let number = name.withCString { text in
            text.withMemoryRebound(to: UInt8.self, capacity: name.utf8.count + 1) {
                pcre2_substring_number_from_name_8(code, $0)
            }
        }
        return number > 0 ? Int(number) : nil
    }

    /// PCRE2's words for an error.
    static func describe(_ status: Int32) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { buffer in
            let count = pcre2_get_error_message_8(status, buffer.baseAddress, buffer.count)
            guard count > 0 else { return "error \(status)" }
            return String(decoding: buffer.prefix(Int(count)), as: UTF8.self)
        }
    }
}

/// Compiled patterns by text, for patterns that come from rows. Thread-safe.
package final class RegexCache: Sendable {
    private let patterns = Mutex<[String: RegexPattern]>([:])

    package init() {}

    /// The compiled pattern. Throws `.invalidPattern`; failures are not kept.
    package func pattern(_ text: String) throws(RegexError) -> RegexPattern {
        if let found = patterns.withLock({ $0[text] }) { return found }
        let compiled = try RegexPattern(text)
        patterns.withLock { patterns in
            // Dropping all is rare and simpler than ages: a column of patterns has few of them.
            if patterns.count >= RegexLimits.cachedPatterns { patterns.removeAll() }
            patterns[text] = compiled
        }
        return compiled
    }
}
