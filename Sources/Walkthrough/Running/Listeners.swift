import Bytes
import Platform

/// Which addresses this machine listens on, out of /proc/net.
enum Listeners {
    static func addresses(ports: [Int]) throws -> [String] {
        var found: Set<String> = []
        for (path, isSix) in [("/proc/net/tcp", false), ("/proc/net/tcp6", true)] {
            let text = String(
                decoding: try LocalFileSystem().readAll(path, limit: 4 << 20), as: UTF8.self)
            for line in text.split(separator: "\n").dropFirst() {
                let words = line.split(separator: " ")
                // Local address and state 0A: listening.
                guard words.count > 3, words[3] == "0A" else { continue }
                let parts = words[1].split(separator: ":")
                guard parts.count == 2, let port = Int(parts[1], radix: 16), ports.contains(port)
                else {
                    continue
                }
                found.insert(isSix ? six(String(parts[0])) : four(String(parts[0])))
            }
        }
        return found.sorted()
    }

    private static func four(_ hex: String) -> String {
        (hexBytes(hex) ?? []).reversed().map(String.init).joined(separator: ".")
    }

    private static func six(_ hex: String) -> String {
        hex == "00000000000000000000000001000000" ? "::1" : hex
    }
}
