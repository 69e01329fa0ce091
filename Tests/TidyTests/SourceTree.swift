import Foundation

/// The files of the package, read once.
struct SourceTree {
    struct File {
        /// Below the package's root.
        let path: String
        let module: String
        let lines: [Substring]
        /// Lines without comments and without the insides of string literals, with their numbers.
        let code: [(number: Int, text: String)]
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static let sources: [File] = swiftFiles(below: "Sources")

    static func swiftFiles(below folder: String) -> [File] {
        let base = root.appendingPathComponent(folder)
        let found =
            FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return found.filter { $0.hasSuffix(".swift") && !$0.contains("Fixtures/") }.sorted()
            .compactMap { path -> File? in
                guard
                    let text = try? String(
                        contentsOf: base.appendingPathComponent(path), encoding: .utf8)
                else { return nil }
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                var isBlockString = false
                let code = lines.enumerated().map { index, line in
                    (number: index + 1, text: SourceTree.code(of: line, &isBlockString))
                }
                return File(
                    path: "\(folder)/\(path)", module: String(path.split(separator: "/")[0]),
                    lines: lines, code: code)
            }
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    static func text(_ path: String) -> String? {
        try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// The code of a line: strings become "", comments go.
    private static func code(of line: Substring, _ isBlockString: inout Bool) -> String {
        let (quote, slash, escape) = (UInt8(ascii: "\""), UInt8(ascii: "/"), UInt8(ascii: "\\"))
        let bytes = Array(line.utf8)
        var result: [UInt8] = []
        var place = 0
        func isBlockQuote(_ place: Int) -> Bool {
            place + 2 < bytes.count && bytes[place] == quote && bytes[place + 1] == quote
                && bytes[place + 2] == quote
        }
        while place < bytes.count {
            if isBlockQuote(place) {
                isBlockString.toggle()
                place += 3
            } else if isBlockString {
                place += 1
            } else if bytes[place] == slash, place + 1 < bytes.count, bytes[place + 1] == slash {
                break
            } else if bytes[place] == quote {
                result += [quote, quote]
                place += 1
                while place < bytes.count, bytes[place] != quote {
                    place += bytes[place] == escape ? 2 : 1
                }
                place += 1
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
