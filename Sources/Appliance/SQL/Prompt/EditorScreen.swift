/// How an editor's text lies on a terminal, and what must be written to show it.
struct EditorScreen {
    /// Rows from the first one down to the cursor, as last shown.
    private var cursorRow = 0

    static let firstPrompt = "lakehouse> "
    static let nextPrompt = "        -> "

    /// What redraws the text in the place of the one before.
    mutating func redraw(_ editor: LineEditor, width: Int) -> String {
        var out = cursorRow > 0 ? "\u{1B}[\(cursorRow)A" : ""
        out += "\r\u{1B}[J"
        if let search = editor.search {
            let found = editor.foundText?.split(separator: "\n").joined(separator: " ") ?? ""
            var line = "(search) \(search.wanted): \(found)"
            while line.reduce(0, { $0 + $1.columns }) >= width, !line.isEmpty { line.removeLast() }
            cursorRow = 0
            return out + line
        }
        var row = 0
        var column = 0
        var place = (row: 0, column: 0)
        func put(_ text: String) {
            for character in text {
                if column + character.columns > width { wrap() }
                out.append(character)
                column += character.columns
                if column == width { wrap() }
            }
        }
        // Wrapped by hand: terminals differ in where the cursor is behind the last column.
        func wrap() {
            out += "\r\n"
            row += 1
            column = 0
        }
        put(EditorScreen.firstPrompt)
        for (index, character) in editor.text.enumerated() {
            if index == editor.cursor { place = (row, column) }
            if character == "\n" {
                wrap()
                put(EditorScreen.nextPrompt)
            } else {
                put(String(character))
            }
        }
        if editor.cursor == editor.text.count { place = (row, column) }
        if row > place.row { out += "\u{1B}[\(row - place.row)A" }
        out += "\r"
        if place.column > 0 { out += "\u{1B}[\(place.column)C" }
        cursorRow = place.row
        return out
    }

    /// What leaves the text standing and goes on below it.
    mutating func leave(_ editor: LineEditor, width: Int) -> String {
        var end = editor
        _ = end.handle(.control("g"))
        while end.cursor < end.text.count { _ = end.handle(.right) }
        let out = redraw(end, width: width)
        cursorRow = 0
        return out + "\r\n"
    }

    /// Forgets where the text was: something else was written.
    mutating func forget() { cursorRow = 0 }
}
