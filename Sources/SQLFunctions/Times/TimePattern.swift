import CivilTime

/// A format of dates and times, taken apart: MySQL's `%Y-%m-%d` or Joda's `yyyy-MM-dd`.
struct TimePattern {
    /// A number in a text.
    enum Number {
        case year, shortYear, weekYear, week, dayOfWeek, dayOfYear, month, day
        case hour, halfHour, halfHourFromZero, hourFromOne, minute, second

        /// As many digits as it can have.
        var longest: Int {
            switch self {
            case .year, .weekYear: 9
            case .dayOfYear: 3
            case .dayOfWeek: 1
            default: 2
            }
        }
    }

    enum Part {
        case literal(String)
        /// At least so many digits when written.
        case number(Number, digits: Int)
        case monthName(isShort: Bool)
        case weekdayName(isShort: Bool)
        case halfDay
        /// So many digits of the second's fraction; when read, up to nine if `isOpen`.
        case fraction(digits: Int, isOpen: Bool)
        case offset(hasColon: Bool)
        case zoneName
        case era
    }

    private(set) var parts: [Part] = []
}

extension TimePattern {
    /// Reads a pattern of `date_format` and `date_parse`.
    init(mysql text: String) throws {
        var characters = text.unicodeScalars.makeIterator()
        while let character = characters.next() {
            guard character == "%" else {
                literal(character)
                continue
            }
            guard let letter = characters.next() else {
                literal("%")
                break
            }
            switch letter {
            case "a": parts.append(.weekdayName(isShort: true))
            case "b": parts.append(.monthName(isShort: true))
            case "c": parts.append(.number(.month, digits: 1))
            case "d": parts.append(.number(.day, digits: 2))
            case "e": parts.append(.number(.day, digits: 1))
            case "f": parts.append(.fraction(digits: 6, isOpen: true))
            case "H": parts.append(.number(.hour, digits: 2))
            case "h", "I": parts.append(.number(.halfHour, digits: 2))
            case "i": parts.append(.number(.minute, digits: 2))
            case "j": parts.append(.number(.dayOfYear, digits: 3))
            case "k": parts.append(.number(.hour, digits: 1))
            case "l": parts.append(.number(.halfHour, digits: 1))
            case "M": parts.append(.monthName(isShort: false))
            case "m": parts.append(.number(.month, digits: 2))
            case "p": parts.append(.halfDay)
            case "r": clock(.halfHour); literal(" "); parts.append(.halfDay)
            case "S", "s": parts.append(.number(.second, digits: 2))
            case "T": clock(.hour)
            case "v": parts.append(.number(.week, digits: 2))
            case "x": parts.append(.number(.weekYear, digits: 4))
            case "W": parts.append(.weekdayName(isShort: false))
            case "Y": parts.append(.number(.year, digits: 4))
            case "y": parts.append(.number(.shortYear, digits: 2))
            case "w", "U", "u", "V", "X", "D":
                throw invalid("%\(letter) not supported in date format string")
            default: literal(letter)
            }
        }
    }

    private mutating func clock(_ hour: Number) {
        parts += [
            .number(hour, digits: 2), .literal(":"), .number(.minute, digits: 2), .literal(":"),
            .number(.second, digits: 2),
        ]
    }

    /// Reads a pattern of `format_datetime` and `parse_datetime`. Source: Joda-Time, DateTimeFormat.
    init(joda text: String) throws {
        let characters = Array(text.unicodeScalars)
        var at = 0
        while at < characters.count {
            let letter = characters[at]
            if letter == "'" {
                at = quoted(characters, at + 1)
                continue
            }
            guard letter.isASCII, letter.properties.isAlphabetic else {
                literal(letter)
                at += 1
                continue
            }
            var end = at
            while end < characters.count, characters[end] == letter { end += 1 }
            parts.append(try TimePattern.joda(letter, end - at, text))
            at = end
        }
    }

    private static func joda(_ letter: Unicode.Scalar, _ count: Int, _ text: String) throws -> Part
    {
        guard count <= 32 else { throw invalid("Illegal pattern component: \(letter)") }
        switch letter {
        case "G": return .era
        case "y", "Y":
            return count == 2 ? .number(.shortYear, digits: 2) : .number(.year, digits: count)
        case "x": return .number(.weekYear, digits: count)
        case "w": return .number(.week, digits: count)
        case "e": return .number(.dayOfWeek, digits: count)
        case "E": return .weekdayName(isShort: count < 4)
        case "D": return .number(.dayOfYear, digits: count)
        case "M":
            return count < 3 ? .number(.month, digits: count) : .monthName(isShort: count == 3)
        case "d": return .number(.day, digits: count)
        case "a": return .halfDay
        case "K": return .number(.halfHourFromZero, digits: count)
        case "h": return .number(.halfHour, digits: count)
        case "H": return .number(.hour, digits: count)
        case "k": return .number(.hourFromOne, digits: count)
        case "m": return .number(.minute, digits: count)
        case "s": return .number(.second, digits: count)
        case "S": return .fraction(digits: count, isOpen: false)
        case "z": return .zoneName
        case "Z": return count < 3 ? .offset(hasColon: count == 2) : .zoneName
        default: throw invalid("Illegal pattern component: \(letter)")
        }
    }

    /// A quoted piece that begins at `start`; two quotes are one. Gives the place behind it.
    private mutating func quoted(_ characters: [Unicode.Scalar], _ start: Int) -> Int {
        var at = start
        if at < characters.count, characters[at] == "'" {
            literal("'")
            return at + 1
        }
        while at < characters.count {
            if characters[at] == "'" {
                guard at + 1 < characters.count, characters[at + 1] == "'" else { return at + 1 }
                at += 1
            }
            literal(characters[at])
            at += 1
        }
        return at
    }

    private mutating func literal(_ character: Unicode.Scalar) {
        if case .literal(var text)? = parts.last {
            text.unicodeScalars.append(character)
            parts[parts.count - 1] = .literal(text)
        } else {
            parts.append(.literal(String(character)))
        }
    }
}

extension TimePattern {
    /// The moment (wall clock) as text. `offsetMinutes` is its zone's.
    func format(_ moment: Moment, offsetMinutes: Int) -> String {
        let days = moment.day
        let date = CivilDate(days: days)
        let time = moment.timeOfDay
        let hour = Int(time / Microseconds.perHour)
        var text = ""
        for part in parts {
            switch part {
            case .literal(let piece): text += piece
            case .monthName(let isShort):
                let name = CivilFormat.monthNames[date.month - 1]
                text += isShort ? String(name.prefix(3)) : name
            case .weekdayName(let isShort):
                let name = CivilFormat.weekdayNames[Calendar.dayOfWeek(days) - 1]
                text += isShort ? String(name.prefix(3)) : name
            case .halfDay: text += hour < 12 ? "AM" : "PM"
            case .fraction(let digits, _):
                // Java's formatters know milliseconds.
                let milliseconds = time / 1_000 % 1_000
                let all = zeroPadded(Int(milliseconds), 3)
                text += digits <= 3 ? String(all.prefix(digits)) : all
                text += String(repeating: "0", count: max(0, digits - 3))
            case .offset(let hasColon):
                let magnitude = Int(offsetMinutes.magnitude)
                text += offsetMinutes < 0 ? "-" : "+"
                text += zeroPadded(magnitude / 60, 2) + (hasColon ? ":" : "")
                text += zeroPadded(magnitude % 60, 2)
            case .zoneName: text += moment.zone.name
            case .era: text += date.year > 0 ? "AD" : "BC"
            case .number(let number, let digits):
                let value: Int =
                    switch number {
                    case .year: date.year
                    case .shortYear: Int(date.year.magnitude % 100)
                    case .weekYear: Calendar.isoWeek(days).year
                    case .week: Calendar.isoWeek(days).week
                    case .dayOfWeek: Calendar.dayOfWeek(days)
                    case .dayOfYear: Calendar.dayOfYear(days)
                    case .month: date.month
                    case .day: date.day
                    case .hour: hour
                    case .halfHour: (hour + 11) % 12 + 1
                    case .halfHourFromZero: hour % 12
                    case .hourFromOne: hour == 0 ? 24 : hour
                    case .minute: Int(time / Microseconds.perMinute % 60)
                    case .second: Int(time / Microseconds.perSecond % 60)
                    }
                text += zeroPadded(value, digits)
            }
        }
        return text
    }
}

/// A number with at least so many digits.
func zeroPadded(_ value: Int, _ digits: Int) -> String {
    let text = String(value.magnitude)
    let zeros = String(repeating: "0", count: max(0, digits - text.utf8.count))
    return (value < 0 ? "-" : "") + zeros + text
}
