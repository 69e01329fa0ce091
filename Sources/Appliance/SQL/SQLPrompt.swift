import Platform

/// What a prompt needs of the thing that runs its statements.
protocol PromptShell: AnyObject {
    var format: SQLShell.Format { get set }
    var showsTiming: Bool { get set }
    /// Runs statements and prints their results; whether all went well.
    func run(script: String) throws -> Bool
    /// The first column of a statement's result, without printing anything; none when it fails.
    func listing(_ sql: String) -> [String]
}

/// Statements typed at a prompt: an editor with completion and history where somebody sits, plain lines
/// from a pipe.
struct SQLPrompt {
    private let streams: any CommandStreams
    private let pager: PagedStreams?
    /// Bytes of a history file that are read.
    private static let historyBytes = 16 << 20

    /// `pager`: the streams that the shell writes to, when it is one.
    init(_ streams: any CommandStreams, pager: PagedStreams? = nil) {
        self.streams = streams
        self.pager = pager
    }

    /// Reads until the end of input, `quit` or `exit`; the exit code.
    func loop(_ shell: any PromptShell) throws -> Int32 {
        guard Terminal.isInteractive(.input), Terminal.isInteractive(.output) else {
            return try plainLoop(shell)
        }
        streams.write("Statements end with ;  \\? shows keys and shortcuts, \\q leaves.\n")
        let completer = Completer(ask: { shell.listing($0) })
        var editor = LineEditor(history: history)
        while let text = read(&editor, completer) {
            guard text.contains(where: { !$0.isWhitespace }) else { continue }
            editor.remember(text)
            remember(text)
            guard try perform(text, shell) else { return 0 }
            completer.forget()
        }
        return 0
    }

    /// Lines without an editor.
    private func plainLoop(_ shell: any PromptShell) throws -> Int32 {
        var text = ""
        while let line = Terminal.readLine() {
            if text.isEmpty, PromptCommand(line) != nil {
                guard try perform(line, shell) else { return 0 }
                continue
            }
            text += text.isEmpty ? line : "\n" + line
            guard line.last(where: { $0 != " " && $0 != "\t" }) == ";" else { continue }
            _ = try shell.run(script: text)
            text = ""
        }
        guard text.utf8.contains(where: { $0 > 0x20 }) else { return 0 }
        return try shell.run(script: text) ? 0 : 1
    }

    /// Runs what was typed; false: the prompt ends.
    private func perform(_ text: String, _ shell: any PromptShell) throws -> Bool {
        pager?.begin()
        switch PromptCommand(text) {
        case nil: _ = try shell.run(script: text)
        case .statement(let sql)?: _ = try shell.run(script: sql)
        case .format(let name)?:
            guard let format = SQLShell.Format(rawValue: name) else {
                let names = SQLShell.Format.allCases.map(\.rawValue).joined(separator: ", ")
                streams.complain("no such format: \(name); one of \(names)\n")
                return true
            }
            shell.format = format
        case .timing?: shell.showsTiming.toggle()
        case .pager?: pager?.isOn.toggle()
        case .history?:
            for statement in history { (pager ?? streams).write(statement + "\n") }
        case .help?: streams.write(PromptCommand.helpText)
        case .unknown(let word)?: streams.complain("no such command: \(word); \\? lists them\n")
        case .quit?: return false
        }
        return true
    }

    // MARK: Editing

    /// One text from the editor; nil: the input has ended.
    private func read(_ editor: inout LineEditor, _ completer: Completer) -> String? {
        guard let terminal = RawTerminal() else { return nil }
        // Bracketed paste, so that a pasted statement does not run line by line.
        streams.write("\u{1B}[?2004h")
        defer { streams.write("\u{1B}[?2004l") }
        editor.reset()
        var screen = EditorScreen()
        var decoder = KeyDecoder()
        while true {
            let width = max(Terminal.width() ?? 80, 20)
            streams.write(screen.redraw(editor, width: width))
            guard let key = nextKey(terminal, &decoder) else {
                streams.write("\r\n")
                return nil
            }
            switch editor.handle(key) {
            case .editing: break
            case .completing: complete(&editor, &screen, completer, width)
            case .clearing:
                streams.write("\u{1B}[H\u{1B}[2J")
                screen.forget()
            case .interrupted:
                streams.write(screen.leave(editor, width: width))
                editor.reset()
            case .ended:
                streams.write("\r\n")
                return nil
            case .submitted(let text):
                streams.write(screen.leave(editor, width: width))
                return text
            }
        }
    }

    private func nextKey(
        _ terminal: borrowing RawTerminal, _ decoder: inout KeyDecoder
    ) -> EditorKey? {
        while true {
            // A lone escape is a key; a sequence comes in one piece.
            guard let byte = terminal.nextByte(patienceMilliseconds: decoder.isWaiting ? 50 : -1)
            else {
                guard decoder.isWaiting else { return nil }
                if let key = decoder.settle() { return key }
                continue
            }
            if let key = decoder.take(byte) { return key }
        }
    }

    private func complete(
        _ editor: inout LineEditor, _ screen: inout EditorScreen, _ completer: Completer,
        _ width: Int
    ) {
        let proposal = completer.proposal(editor.text, editor.cursor)
        let typed = proposal.range.count
        if proposal.words.count == 1 {
            editor.complete(proposal.range, with: proposal.words[0])
        } else if proposal.common.count > typed {
            editor.complete(proposal.range, with: proposal.common)
        } else if !proposal.words.isEmpty {
            streams.write(screen.leave(editor, width: width))
            streams.write(columns(proposal.words, width: width))
        }
    }

    /// Words below each other in as many columns as fit.
    private func columns(_ words: [String], width: Int) -> String {
        let most = 200
        let cell = (words.prefix(most).map(\.count).max() ?? 0) + 2
        let perRow = max(1, width / cell)
        var text = ""
        for (index, word) in words.prefix(most).enumerated() {
            let isLast = index % perRow == perRow - 1 || index == min(words.count, most) - 1
            text +=
                isLast
                ? word + "\r\n" : word + String(repeating: " ", count: cell - word.count)
        }
        if words.count > most { text += "… \(words.count - most) more\r\n" }
        return text
    }

    // MARK: History

    private var historyPath: String? {
        Environment.value("HOME").map { $0 + "/.lakehouse_history" }
    }

    /// One statement a line, the oldest first.
    private var history: [String] {
        guard let historyPath,
            let bytes = try? LocalFileSystem().readAll(
                historyPath, limit: SQLPrompt.historyBytes)
        else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { String($0) }
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
