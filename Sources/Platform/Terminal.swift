import CLinux
import Glibc

/// The three streams of a process and the terminal that may be behind them.
package enum Terminal {
    package enum Stream: Int32, Sendable { case input = 0, output = 1, error = 2 }

    /// Whether a person is at the other end.
    package static func isInteractive(_ stream: Stream) -> Bool { isatty(stream.rawValue) == 1 }

    /// Columns of the terminal; nil when there is none.
    package static func width(_ stream: Stream = .output) -> Int? {
        let columns = Int(cl_terminal_columns(stream.rawValue))
        return columns > 0 ? columns : nil
    }

    /// Writes text; a stream that is gone is ignored, since there is nobody to tell.
    package static func write(_ text: String, to stream: Stream = .output) {
        var text = text
        text.withUTF8 { bytes in write(UnsafeRawBufferPointer(bytes), to: stream) }
    }

    /// Writes bytes as they are.
    package static func write(_ bytes: UnsafeRawBufferPointer, to stream: Stream = .output) {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(
                stream.rawValue, bytes.baseAddress! + written, bytes.count - written)
            if count < 0 {
                if errno == EINTR { continue }
                return
            }
            written += count
        }
    }

    /// One line from standard input without its end; nil at the end of the input.
    package static func readLine() -> String? { Swift.readLine(strippingNewline: true) }

    /// Everything on standard input, up to a limit.
    package static func readInput(limit: Int) throws(PlatformError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw PlatformError(errno: errno, "read", "standard input")
            }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            if bytes.count > limit {
                throw PlatformError(
                    code: .invalidArgument, message: "standard input is larger than \(limit) bytes")
            }
        }
    }

    /// Asks for a secret on the terminal without showing what is typed. From a pipe: one line.
    package static func readPassword(prompt: String) -> String? {
        guard isInteractive(.input) else { return readLine() }
        write(prompt, to: .error)
        var saved = termios()
        tcgetattr(STDIN_FILENO, &saved)
        var silent = saved
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved)
            write("\n", to: .error)
        }
        return readLine()
    }
}
