import Platform

/// Writes a screen at a time and asks before the next one, when somebody sits there.
final class PagedStreams: CommandStreams {
    private let target: any CommandStreams
    /// Whether long results are held at the end of each screen.
    var isOn = true
    private var rows = 0
    private var isMuted = false
    private static let question = "-- more: space, enter for a line, q --"

    init(_ target: any CommandStreams) { self.target = target }

    /// Begins with an empty screen: a new result.
    func begin() {
        rows = 0
        isMuted = false
    }

    func complain(_ text: String) { target.complain(text) }
    func readInput() throws -> [UInt8] { try target.readInput() }

    func write(_ text: String) {
        guard isOn, let height = Terminal.height(), height > 3, let width = Terminal.width() else {
            return target.write(text)
        }
        var out = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if isMuted { return }
            out += line + "\n"
            let columns = line.reduce(0) { $0 + $1.columns }
            rows += max(1, (columns + width - 1) / width)
            guard rows >= height - 1 else { continue }
            target.write(out)
            out = ""
            ask(height)
        }
        guard !isMuted else { return }
        // What stands behind the last line end, if anything does.
        target.write(
            out + (text.split(separator: "\n", omittingEmptySubsequences: false).last ?? ""))
    }

    private func ask(_ height: Int) {
        target.write(PagedStreams.question)
        defer { target.write("\r\u{1B}[K") }
        guard let terminal = RawTerminal() else { return rows = 0 }
        while true {
            switch terminal.nextByte() {
            case 0x71, 0x51, 0x03, 0x04, nil: return isMuted = true
            case 0x20: return rows = 0
            case 0x0D, 0x0A: return rows = height - 2
            default: continue
            }
        }
    }
}
