import Platform

/// Statements typed at a prompt: ended by a semicolon, kept in a history file.
struct SQLPrompt {
    private let streams: any CommandStreams

    init(_ streams: any CommandStreams) { self.streams = streams }

    private var historyPath: String? {
        Environment.value("HOME").map { $0 + "/.lakehouse_history" }
    }

    /// Reads until the end of input, `quit` or `exit`; 0. `run` runs statements and keeps their session.
    func loop(_ run: (String) throws -> Bool) throws -> Int32 {
        var text = ""
        let isInteractive = Terminal.isInteractive(.input)
        if isInteractive { streams.write("Statements end with ;  quit leaves, history lists.\n") }
        while true {
            if isInteractive { streams.write(text.isEmpty ? "lakehouse> " : "        -> ") }
            guard let line = Terminal.readLine() else { break }
            let word = line.lowercased()
            if text.isEmpty, ["quit", "exit", "quit;", "exit;"].contains(word) { return 0 }
            if text.isEmpty, ["history", "history;"].contains(word) {
                printHistory()
                continue
            }
            text += text.isEmpty ? line : "\n" + line
            guard line.last(where: { $0 != " " && $0 != "\t" }) == ";" else { continue }
            remember(text)
            _ = try run(text)
            text = ""
        }
        guard text.utf8.contains(where: { $0 > 0x20 }) else { return 0 }
        return try run(text) ? 0 : 1
    }

    private func printHistory() {
        guard let historyPath,
            let bytes = try? LocalFileSystem().readAll(historyPath, limit: 16 << 20)
        else { return }
        streams.write(String(decoding: bytes, as: UTF8.self))
    }

    private func remember(_ text: String) {
        guard let historyPath else { return }
        let line = text.split(separator: "\n").joined(separator: " ") + "\n"
        guard let file = try? LocalFileSystem().open(historyPath, .updateOrCreate, mode: 0o600),
            let size = try? file.sizeBytes()
        else { return }
        try? file.write(Array(line.utf8), at: size)
        try? file.close()
    }
}
