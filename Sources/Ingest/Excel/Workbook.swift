/// What a cell holds.
enum ExcelCell: Sendable, Hashable {
    case empty
    case text(String)
    /// As the file writes it: its digits are exact.
    case number(String)
    case boolean(Bool)
    /// Days since 1970.
    case date(Int32)
    /// Microseconds since 1970.
    case timestamp(Int64)
    /// A time of day; microseconds.
    case time(Int64)
}

/// A workbook of Excel or another program that writes Office Open XML.
///
/// Source: ECMA-376, Part 1, sections 18.2 (workbooks), 18.3 (worksheets), 18.4 (shared strings), 18.8 (styles),
/// 18.17.4 (dates). Formulas count by the values that were saved with them.
struct Workbook {
    private let archive: ZipArchive
    private let name: String
    /// Names and parts of the sheets, in the order of the tabs.
    private(set) var sheets: [(name: String, path: String)] = []
    /// Whether days are counted from 1904 on.
    private var is1904 = false
    private var strings: [String] = []
    /// By style: what numbers mean.
    private var styles: [NumberStyle] = []

    /// Cells of one sheet; more are refused.
    static let cellLimit = 20_000_000
    private static let columnLimit = 16_384

    /// What a number's format makes of it.
    enum NumberStyle: Hashable {
        case plain, date, timestamp, time
    }

    init(_ bytes: [UInt8], name: String) throws(IngestError) {
        archive = try ZipArchive(bytes, name: name)
        self.name = name
        let main = try targets(of: "_rels/.rels", base: "").first {
            $0.type.hasSuffix("/officeDocument")
        }
        let path = main?.target ?? "xl/workbook.xml"
        let folder = Self.folder(of: path)
        let file = path.dropFirst(folder.count)
        let related = try targets(of: "\(folder)_rels/\(file).rels", base: folder)
        try readWorkbook(path, related)
        func part(_ kind: String) -> String? {
            related.first { $0.type.hasSuffix("/\(kind)") }?.target
        }
        if let path = part("sharedStrings") { try readStrings(path) }
        if let path = part("styles") { try readStyles(path) }
    }

    private func tokens(_ path: String) throws(IngestError) -> XMLTokens? {
        try archive.part(path).map { XMLTokens($0, name: "\(path) of \(name)") }
    }

    /// What a part refers to, with paths from the archive's root.
    private func targets(
        of path: String, base: String
    ) throws(IngestError) -> [(id: String, type: String, target: String)] {
        guard var tokens = try tokens(path) else { return [] }
        var found: [(id: String, type: String, target: String)] = []
        while let token = try tokens.next() {
            guard case .open("Relationship", _) = token, let target = tokens.attribute("Target")
            else { continue }
            found.append(
                (
                    tokens.attribute("Id") ?? "", tokens.attribute("Type") ?? "",
                    target.hasPrefix("/") ? String(target.dropFirst()) : base + target
                ))
        }
        return found
    }

    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }

    private mutating func readWorkbook(
        _ path: String, _ related: [(id: String, type: String, target: String)]
    ) throws(IngestError) {
        guard var tokens = try tokens(path) else {
            throw IngestError(
                .damagedFile, "\(name) is no workbook: it has no \(path)",
                hint: "save it as .xlsx")
        }
        while let token = try tokens.next() {
            switch token {
            case .open("workbookPr", _):
                is1904 = ["1", "true"].contains(tokens.attribute("date1904") ?? "")
            case .open("sheet", _):
                // `r:id`; `sheetId` is another thing.
                let id = tokens.attribute("id") ?? ""
                guard let part = related.first(where: { $0.id == id }),
                    part.type.hasSuffix("/worksheet")
                else { continue }
                sheets.append((tokens.attribute("name") ?? "", part.target))
            default: continue
            }
        }
    }

    private mutating func readStrings(_ path: String) throws(IngestError) {
        guard var tokens = try tokens(path) else { return }
        var text = ""
        var isText = false
        var phonetic = 0
        while let token = try tokens.next() {
            switch token {
            case .open("si", let isEmpty):
                text = ""
                if isEmpty { strings.append("") }
            case .close("si"): strings.append(text)
            // How to read an ideogram aloud is not what the cell says.
            case .open("rPh", let isEmpty): phonetic += isEmpty ? 0 : 1
            case .close("rPh"): phonetic -= 1
            case .open("t", let isEmpty): isText = !isEmpty && phonetic == 0
            case .close("t"): isText = false
            case .text(let part): if isText { text += part }
            default: continue
            }
        }
    }

    private mutating func readStyles(_ path: String) throws(IngestError) {
        guard var tokens = try tokens(path) else { return }
        var formats: [Int: NumberStyle] = [:]
        var isInCells = false
        while let token = try tokens.next() {
            switch token {
            case .open("numFmt", _):
                guard let id = tokens.attribute("numFmtId").flatMap({ Int($0) }) else { continue }
                formats[id] = Self.style(ofFormat: tokens.attribute("formatCode") ?? "")
            case .open("cellXfs", let isEmpty): isInCells = !isEmpty
            case .close("cellXfs"): isInCells = false
            case .open("xf", _):
                guard isInCells else { continue }
                let id = tokens.attribute("numFmtId").flatMap { Int($0) } ?? 0
                styles.append(formats[id] ?? Self.builtIn(id))
            default: continue
            }
        }
    }

    /// The formats that every workbook has. Source: ECMA-376, Part 1, section 18.8.30.
    private static func builtIn(_ id: Int) -> NumberStyle {
        switch id {
        case 14...17, 27...31, 34...36, 50...58: .date
        case 22: .timestamp
        case 18...21, 32...33, 45...47: .time
        default: .plain
        }
    }

    /// What a format makes of numbers: its letters outside of quotes and brackets tell.
    static func style(ofFormat code: String) -> NumberStyle {
        var hasDay = false
        var hasTime = false
        var hasMonth = false
        var isQuoted = false
        var isEscaped = false
        var bracket = ""
        var isInBracket = false
        // What stands behind a semicolon is for negative numbers.
        for character in code.lowercased() {
            if isEscaped {
                isEscaped = false
            } else if isQuoted {
                isQuoted = character != "\""
            } else if isInBracket {
                guard character == "]" else {
                    bracket.append(character)
                    continue
                }
                isInBracket = false
                // `[h]` counts hours past a day; colours and places are no times.
                if !bracket.isEmpty, bracket.allSatisfy({ "hms".contains($0) }) { hasTime = true }
            } else {
                switch character {
                case ";": return style(hasDay, hasMonth, hasTime)
                case "\"": isQuoted = true
                case "\\", "_", "*": isEscaped = true
                case "[":
                    isInBracket = true
                    bracket = ""
                case "y", "d": hasDay = true
                case "m": hasMonth = true
                case "h", "s": hasTime = true
                default: continue
                }
            }
        }
        return style(hasDay, hasMonth, hasTime)
    }

    private static func style(_ hasDay: Bool, _ hasMonth: Bool, _ hasTime: Bool) -> NumberStyle {
        if hasDay { return hasTime ? .timestamp : .date }
        if hasTime { return .time }
        return hasMonth ? .date : .plain
    }

    // MARK: Cells

    /// Hands the rows of a sheet to `body`: the cells by column from 0, ascending.
    func rows(
        of path: String, _ body: ([(column: Int, cell: ExcelCell)]) throws(IngestError) -> Void
    ) throws(IngestError) {
        guard var tokens = try tokens(path) else {
            throw IngestError(.damagedFile, "\(name) has no \(path)", hint: "save the file again")
        }
        var row: [(column: Int, cell: ExcelCell)] = []
        var column = -1
        var kind = ""
        var style = 0
        var value = ""
        var isValue = false
        var count = 0
        while let token = try tokens.next() {
            switch token {
            case .open("row", _):
                row.removeAll(keepingCapacity: true)
                column = -1
            case .close("row"): if !row.isEmpty { try body(row) }
            case .open("c", let isEmpty):
                column = tokens.attribute("r").flatMap(Self.column) ?? column + 1
                kind = tokens.attribute("t") ?? "n"
                style = tokens.attribute("s").flatMap { Int($0) } ?? 0
                value = ""
                guard column < Self.columnLimit else { throw tooLarge(path) }
                if isEmpty { isValue = false }
            case .open("v", let isEmpty), .open("t", let isEmpty): isValue = !isEmpty
            case .close("v"), .close("t"): isValue = false
            case .text(let text): if isValue { value += text }
            case .close("c"):
                let cell = cell(kind, style, value)
                if cell != .empty {
                    row.append((column, cell))
                    count += 1
                    guard count <= Self.cellLimit else { throw tooLarge(path) }
                }
            default: continue
            }
        }
    }

    private func tooLarge(_ path: String) -> IngestError {
        IngestError(
            .limitExceeded,
            "\(path) of \(name) has more than \(Self.cellLimit) cells or \(Self.columnLimit) columns",
            hint: "save it as CSV")
    }

    /// The column of `AB12`, from 0; nil for what is no cell's name.
    static func column(_ reference: String) -> Int? {
        var column = 0
        for byte in reference.utf8 {
            guard byte >= 0x41, byte <= 0x5A else { break }
            column = column * 26 + Int(byte - 0x40)
            if column > 1 << 20 { return nil }
        }
        return column > 0 ? column - 1 : nil
    }

    private func cell(_ kind: String, _ style: Int, _ value: String) -> ExcelCell {
        switch kind {
        case "s":
            guard let index = Int(value), strings.indices.contains(index) else { return .empty }
            return .text(strings[index])
        case "str", "inlineStr": return .text(value)
        case "b": return value.isEmpty ? .empty : .boolean(value == "1" || value == "true")
        // Errors such as #N/A are no values.
        case "e": return .empty
        case "d": return .text(value)
        default:
            guard !value.isEmpty, let number = Double(value), number.isFinite else {
                return .empty
            }
            let meaning = styles.indices.contains(style) ? styles[style] : .plain
            return moment(number, meaning) ?? .number(value)
        }
    }

    /// A number as a day or a time; nil where it is none.
    private func moment(_ serial: Double, _ meaning: NumberStyle) -> ExcelCell? {
        // 9999-12-31 is the last day that Excel knows.
        guard meaning != .plain, serial >= 0, serial < 2_958_466 else { return nil }
        let days = Int64(serial)
        // Fractions are rounded to milliseconds: a double has no more of them.
        let time = Int64(((serial - Double(days)) * 86_400_000).rounded()) * 1000
        if meaning == .time, days == 0, time < 86_400_000_000 { return .time(time) }
        // Lotus took 1900 for a leap year, and Excel followed: day 60 never was.
        let first: Int64 = is1904 ? 24_107 : serial < 60 ? 25_568 : 25_569
        let day = days - first
        if meaning == .date, time == 0 { return .date(Int32(day)) }
        return .timestamp(day * 86_400_000_000 + time)
    }
}
