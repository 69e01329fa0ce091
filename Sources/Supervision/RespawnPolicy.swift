/// What the parent of `serve --respawn` does when its child has ended.
package struct RespawnPolicy: Sendable {
    /// What to do next.
    package enum Action: Sendable, Hashable {
        case end(code: Int32)
        case again(after: Duration)
    }

    /// A life that is this long was a good one: what ends it has nothing to do with the end before.
    package static let goodLife = Duration.seconds(60)
    /// Seconds between an end and the next start at the most.
    package static let longestPause = 60

    /// How often it was started again.
    package private(set) var restarts = 0
    /// Ends in a row without a good life between them.
    private var shortLives = 0

    package init() {}

    /// `code` is the exit code, or 128 and the signal's number; `isAsked` when whoever runs us wanted the end.
    package mutating func ended(code: Int32, after life: Duration, isAsked: Bool) -> Action {
        if isAsked || code == 0 { return .end(code: code) }
        // It never served and has said why: a taken port, a wrong setting. That does not pass by itself.
        if restarts == 0, code == 1 || code == 2, life < Self.goodLife { return .end(code: code) }
        if life >= Self.goodLife { shortLives = 0 }
        let pause = shortLives == 0 ? 0 : min(Self.longestPause, 1 << min(shortLives - 1, 6))
        shortLives += 1
        restarts += 1
        return .again(after: .seconds(pause))
    }

    /// The end in words: `signal 9 (killed)`, `exit code 1`.
    package static func words(_ code: Int32) -> String {
        guard code > 128 else { return "exit code \(code)" }
        let number = code - 128
        let names: [Int32: String] = [
            4: "illegal instruction", 5: "trap", 6: "abort", 7: "bus error", 8: "arithmetic",
            9: "killed", 11: "segmentation fault", 15: "terminated", 24: "processor time",
            31: "forbidden system call",
        ]
        return "signal \(number)" + (names[number].map { " (\($0))" } ?? "")
    }
}
