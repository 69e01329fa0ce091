/// The text that is being typed: several lines, a cursor, the statements before, a search among them.
///
/// A state machine: keys in, outcomes out; no terminal. Emacs' keys, as shells have them.
struct LineEditor {
    /// What a key led to.
    enum Outcome: Equatable {
        /// Go on; the screen may have changed.
        case editing
        case submitted(String)
        /// Ctrl-C: the text is given up.
        case interrupted
        /// Ctrl-D on no text.
        case ended
        /// Tab.
        case completing
        /// Ctrl-L.
        case clearing
    }

    private(set) var text: [Character] = []
    private(set) var cursor = 0
    private var history: [String]
    /// The place in the history that is shown; `history.count`: what is being typed.
    private var place: Int
    private var draft: [Character] = []
    private var killed: [Character] = []
    /// While Ctrl-R searches: what for, and where it was found.
    private(set) var search: Search?

    struct Search: Equatable {
        var wanted = ""
        var found: Int?
    }

    init(history: [String]) {
        self.history = history
        place = history.count
    }

    /// Whether Enter runs the text: a statement that has ended, or a command of the prompt itself.
    static func isComplete(_ text: String) -> Bool {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let first = words.first, let last = words.last else { return true }
        if first.hasPrefix("\\") { return true }
        if words.count == 1, ["quit", "exit", "history", "help"].contains(first.lowercased()) {
            return true
        }
        return last.hasSuffix(";")
    }

    mutating func remember(_ statement: String) {
        if history.last != statement { history.append(statement) }
        place = history.count
    }

    /// Empties the text for the next statement.
    mutating func reset() {
        text = []
        cursor = 0
        draft = []
        search = nil
        place = history.count
    }

    mutating func handle(_ key: EditorKey) -> Outcome {
        if search != nil, let outcome = searching(key) { return outcome }
        switch key {
        case .character(let character): insert([character])
        case .pasted(let pasted): insert(Array(pasted))
        case .enter:
            let all = String(text)
            guard LineEditor.isComplete(all) else {
                insert(["\n"])
                return .editing
            }
            return .submitted(all)
        case .explain:
            let all = String(text)
            guard all.contains(where: { !$0.isWhitespace }) else { return .editing }
            return .submitted("EXPLAIN " + (all.hasSuffix(";") ? all : all + ";"))
        case .tab: return .completing
        case .backspace: if cursor > 0 { remove(cursor - 1..<cursor) }
        case .delete: if cursor < text.count { remove(cursor..<cursor + 1) }
        case .left: cursor = max(0, cursor - 1)
        case .right: cursor = min(text.count, cursor + 1)
        case .wordLeft: cursor = wordStart
        case .wordRight: cursor = wordEnd
        case .home: cursor = lineStart
        case .end: cursor = lineEnd
        case .up: moveUp()
        case .down: moveDown()
        case .escape: break
        case .alt(let character): alt(character)
        case .control(let character): return control(character)
        }
        return .editing
    }

    private mutating func alt(_ character: Character) {
        switch character {
        case "b": cursor = wordStart
        case "f": cursor = wordEnd
        case "d": kill(cursor..<wordEnd)
        case "\r", "\n": insert(["\n"])
        default: break
        }
    }

    private mutating func control(_ character: Character) -> Outcome {
        switch character {
        case "a": cursor = lineStart
        case "e": cursor = lineEnd
        case "b": cursor = max(0, cursor - 1)
        case "f": cursor = min(text.count, cursor + 1)
        case "p": moveUp()
        case "n": moveDown()
        case "k": kill(cursor..<max(lineEnd, min(cursor + 1, text.count)))
        case "u": kill(lineStart..<cursor)
        case "w": kill(wordStart..<cursor)
        case "y": insert(killed)
        case "r": search = Search()
        case "l": return .clearing
        case "c": return .interrupted
        case "d":
            if text.isEmpty { return .ended }
            if cursor < text.count { remove(cursor..<cursor + 1) }
        default: break
        }
        return .editing
    }

    // MARK: Text

    private mutating func insert(_ characters: [Character]) {
        text.insert(contentsOf: characters, at: cursor)
        cursor += characters.count
    }

    private mutating func remove(_ range: Range<Int>) {
        text.removeSubrange(range)
        cursor = range.lowerBound
    }

    private mutating func kill(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        killed = Array(text[range])
        remove(range)
    }

    /// Puts a word in the place of what was typed of it.
    mutating func complete(_ range: Range<Int>, with word: String) {
        remove(range)
        insert(Array(word))
    }

    private var lineStart: Int {
        (text[..<cursor].lastIndex(of: "\n") ?? -1) + 1
    }

    private var lineEnd: Int { text[cursor...].firstIndex(of: "\n") ?? text.count }

    private var wordStart: Int {
        var at = cursor
        while at > 0, !text[at - 1].isWordPart { at -= 1 }
        while at > 0, text[at - 1].isWordPart { at -= 1 }
        return at
    }

    private var wordEnd: Int {
        var at = cursor
        while at < text.count, !text[at].isWordPart { at += 1 }
        while at < text.count, text[at].isWordPart { at += 1 }
        return at
    }

    // MARK: Lines and history

    private mutating func moveUp() {
        let start = lineStart
        guard start > 0 else { return show(place - 1) }
        let column = cursor - start
        let above = (text[..<(start - 1)].lastIndex(of: "\n") ?? -1) + 1
        cursor = min(above + column, start - 1)
    }

    private mutating func moveDown() {
        let end = lineEnd
        guard end < text.count else { return show(place + 1) }
        let column = cursor - lineStart
        let below = text[(end + 1)...].firstIndex(of: "\n") ?? text.count
        cursor = min(end + 1 + column, below)
    }

    private mutating func show(_ wanted: Int) {
        guard wanted >= 0, wanted <= history.count, wanted != place else { return }
        if place == history.count { draft = text }
        place = wanted
        text = wanted == history.count ? draft : Array(history[wanted])
        cursor = text.count
    }

    // MARK: Searching

    /// A key of a search; nil: the search is over and the key means what it always does.
    private mutating func searching(_ key: EditorKey) -> Outcome? {
        guard var search else { return nil }
        switch key {
        case .character(let character):
            search.wanted.append(character)
            search.found = find(search.wanted, before: (search.found ?? history.count - 1) + 1)
        case .backspace:
            if !search.wanted.isEmpty { search.wanted.removeLast() }
            search.found = find(search.wanted, before: history.count)
        case .control("r"):
            search.found =
                find(search.wanted, before: search.found ?? history.count) ?? search.found
        case .control("g"), .control("c"), .escape:
            self.search = nil
            return .editing
        default:
            self.search = nil
            if let found = search.found { show(found) }
            // Enter takes what was found; it runs with the next one.
            return key == .enter ? .editing : nil
        }
        self.search = search
        return .editing
    }

    private func find(_ wanted: String, before end: Int) -> Int? {
        guard !wanted.isEmpty else { return nil }
        let lowered = wanted.lowercased()
        return history.indices.last { $0 < end && history[$0].lowercased().contains(lowered) }
    }

    /// The statement that the search has found.
    var foundText: String? { search?.found.map { history[$0] } }
}

extension Character {
    /// Part of a name, as double clicks and completion take it.
    var isWordPart: Bool { isLetter || isNumber || self == "_" || self == "$" }
}
