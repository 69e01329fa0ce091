import Platform

/// A line that tells how far something long is; nothing where nobody watches.
final class Progress {
    /// What asks for it; on a terminal nobody has to.
    static let option = CommandOption("progress", "shows how far it is, as on a terminal")

    private let streams: any CommandStreams
    private let isShown: Bool
    private let total: Int64
    private var done: Int64 = 0
    private var drawn: MonotonicInstant?
    private let clock = SystemMonotonicClock()
    private static let barWidth = 24
    private static let pause = Duration.milliseconds(100)

    /// `total` in bytes; 0: not known.
    init(total: Int64, isShown: Bool, _ streams: any CommandStreams) {
        self.total = total
        self.isShown = isShown
        self.streams = streams
    }

    func advance(by bytes: Int64) { move(to: done + bytes) }

    func move(to bytes: Int64) {
        done = bytes
        guard isShown, drawn.map({ clock.now() - $0 >= Self.pause }) ?? true else { return }
        drawn = clock.now()
        streams.complain("\r" + Self.line(done: done, total: total) + "\u{1B}[K")
    }

    /// Takes the line away.
    func end() {
        if drawn != nil { streams.complain("\r\u{1B}[K") }
        drawn = nil
    }

    /// Such as `[######------]  50 %  1.5 of 3.0 GB`.
    static func line(done: Int64, total: Int64) -> String {
        guard total > 0 else { return size(done) }
        let share = min(1, max(0, Double(done) / Double(total)))
        let filled = Int(share * Double(barWidth))
        let percent = "\(Int(share * 100))"
        return "[" + String(repeating: "#", count: filled)
            + String(repeating: "-", count: barWidth - filled) + "] "
            + String(repeating: " ", count: 3 - percent.count) + percent + " %  "
            + size(min(done, total)) + " of " + size(total)
    }

    /// A number of bytes for people, such as `1.5 GB`.
    static func size(_ bytes: Int64) -> String {
        let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        if unit == 0 { return "\(bytes) bytes" }
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
