/// Makes a failing input short: takes pieces away, large ones first, as long as it still fails.
///
/// Source: Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002), without its
/// complements.
package enum InputReducer {
    /// The shortest input found within `attempts` calls of `stillFails`.
    package static func reduce(
        _ input: [UInt8], attempts: Int, stillFails: ([UInt8]) throws -> Bool
    ) rethrows -> [UInt8] {
        var best = input
        var left = attempts
        var size = max(1, best.count / 2)
        while left > 0, !best.isEmpty {
            var hasShrunk = false
            var start = 0
            while start < best.count, left > 0 {
                var shorter = best
                shorter.removeSubrange(start..<min(best.count, start + size))
                left -= 1
                if try stillFails(shorter) {
                    best = shorter
                    hasShrunk = true
                } else {
                    start += size
                }
            }
            if size == 1 && !hasShrunk { break }
            if !hasShrunk || size > best.count { size = max(1, size / 2) }
        }
        return best
    }
}
