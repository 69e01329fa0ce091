/// A key as an editor knows it.
enum EditorKey: Equatable {
    case character(Character)
    /// With Ctrl: a lower-case letter.
    case control(Character)
    /// With Alt: a character.
    case alt(Character)
    case enter, tab, backspace, delete, escape
    case left, right, up, down, home, end, wordLeft, wordRight
    /// F5: explains instead of running.
    case explain
    /// What came in one piece from the clipboard.
    case pasted(String)
}

/// Turns a terminal's bytes into keys. Source: ECMA-48; XTerm Control Sequences, "PC-Style Function Keys"
/// and "Bracketed Paste Mode".
struct KeyDecoder {
    private var pending: [UInt8] = []
    private var paste: [UInt8]?

    /// Whether an escape sequence or a character has begun and not ended.
    var isWaiting: Bool { !pending.isEmpty }

    /// Longest sequence that is waited for.
    private static let longest = 16
    private static let pasteEnd: [UInt8] = Array("\u{1B}[201~".utf8)

    mutating func take(_ byte: UInt8) -> EditorKey? {
        if paste != nil { return takePasted(byte) }
        pending.append(byte)
        guard let key = decoded() else {
            if pending.count > KeyDecoder.longest { pending = [] }
            return nil
        }
        pending = []
        if case .pasted = key {
            paste = []
            return nil
        }
        return key
    }

    /// Nothing more came: a lone escape is the key itself.
    mutating func settle() -> EditorKey? {
        defer { pending = [] }
        return pending == [0x1B] ? .escape : nil
    }

    private mutating func takePasted(_ byte: UInt8) -> EditorKey? {
        paste?.append(byte)
        guard let bytes = paste, bytes.suffix(6).elementsEqual(KeyDecoder.pasteEnd) else {
            return nil
        }
        paste = nil
        let text = String(decoding: bytes.dropLast(6), as: UTF8.self)
        var plain = ""
        for character in text {
            if character == "\r\n" || character == "\r" || character == "\n" {
                plain.append("\n")
            } else if character == "\t" {
                plain += "    "
            } else if !character.isControl {
                plain.append(character)
            }
        }
        return .pasted(plain)
    }

    /// The key that the pending bytes are; nil: more must come, or they mean nothing.
    private func decoded() -> EditorKey? {
        guard let first = pending.first else { return nil }
        if first == 0x1B { return escaped(pending.dropFirst()) }
        switch first {
        case 0x0D, 0x0A: return .enter
        case 0x09: return .tab
        case 0x7F, 0x08: return .backspace
        case 0x01...0x1A: return .control(Character(UnicodeScalar(first + 0x60)))
        case 0x00, 0x1C...0x1F: return .control(" ")
        case 0x20...0x7E: return .character(Character(UnicodeScalar(first)))
        default:
            let count = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
            guard pending.count >= count else { return nil }
            return .character(String(decoding: pending, as: UTF8.self).first ?? "\u{FFFD}")
        }
    }

    private func escaped(_ rest: ArraySlice<UInt8>) -> EditorKey? {
        guard let kind = rest.first else { return nil }
        guard kind == 0x5B || kind == 0x4F else {
            return kind == 0x7F ? .control("w") : .alt(Character(UnicodeScalar(kind)))
        }
        // Parameters, then one letter or tilde.
        guard let final = rest.last, rest.count > 1, (0x40...0x7E).contains(final) else {
            return nil
        }
        let parameters = String(decoding: rest.dropFirst().dropLast(), as: UTF8.self)
        let isModified = parameters.hasSuffix(";5") || parameters.hasSuffix(";3")
        switch final {
        case 0x41: return .up
        case 0x42: return .down
        case 0x43: return isModified ? .wordRight : .right
        case 0x44: return isModified ? .wordLeft : .left
        case 0x48: return .home
        case 0x46: return .end
        case 0x7E:
            switch parameters {
            case "1", "7": return .home
            case "4", "8": return .end
            case "3": return .delete
            case "15": return .explain
            case "200": return .pasted("")
            default: return .control(" ")
            }
        default: return .control(" ")
        }
    }
}

extension Character {
    /// Neither shown nor kept.
    var isControl: Bool {
        unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }

    /// Columns that it takes on a terminal. Source: Unicode Standard Annex 11, the wide ranges.
    var columns: Int {
        guard let scalar = unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
            0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE4F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
            0x20000...0x3FFFD:
            return 2
        default: return isControl ? 0 : 1
        }
    }
}
