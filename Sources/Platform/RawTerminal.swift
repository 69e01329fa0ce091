import CLinux
import Glibc

/// A terminal that hands over every key as it is pressed and shows nothing by itself.
///
/// The terminal is as it was before as soon as the value goes. Belongs to one thread.
package struct RawTerminal: ~Copyable {
    private var saved: termios

    /// nil when nobody sits at standard input.
    package init?() {
        var found = termios()
        guard Terminal.isInteractive(.input), tcgetattr(STDIN_FILENO, &found) == 0 else {
            return nil
        }
        var raw = found
        raw.c_lflag &= ~tcflag_t(ECHO | ICANON | IEXTEN | ISIG)
        raw.c_iflag &= ~tcflag_t(IXON | ICRNL | BRKINT | INPCK | ISTRIP)
        withUnsafeMutableBytes(of: &raw.c_cc) { characters in
            characters[Int(VMIN)] = 1
            characters[Int(VTIME)] = 0
        }
        guard tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0 else { return nil }
        saved = found
    }

    deinit {
        var back = saved
        tcsetattr(STDIN_FILENO, TCSADRAIN, &back)
    }

    /// The next byte; nil at the end of the input, or when none comes within the patience.
    package func nextByte(patienceMilliseconds: Int32 = -1) -> UInt8? {
        var poll = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        while true {
            let ready = Glibc.poll(&poll, 1, patienceMilliseconds)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return nil }
            var byte: UInt8 = 0
            let count = read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR { continue }
            return count == 1 ? byte : nil
        }
    }
}

extension Terminal {
    /// Rows of the terminal; nil when there is none.
    package static func height(_ stream: Stream = .output) -> Int? {
        let rows = Int(cl_terminal_rows(stream.rawValue))
        return rows > 0 ? rows : nil
    }
}
