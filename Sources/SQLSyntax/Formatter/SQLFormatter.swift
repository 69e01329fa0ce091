/// Tree to SQL text that parses to an equal tree: for view definitions, SHOW CREATE and EXPLAIN.
///
/// On one line; keywords in upper case; names are quoted only where they must be. Expressions get the
/// parentheses that they need and no more.
package enum SQLFormatter {
    /// SQL text that parses to an equal tree, with only the parentheses that it needs.
    package static func format(_ expression: Expression) -> String {
        var writer = SQLWriter()
        writer.expression(expression, 0)
        return writer.text
    }

    /// The same for a query.
    package static func format(_ query: Query) -> String {
        var writer = SQLWriter()
        writer.query(query)
        return writer.text
    }

    /// The same for a statement, without a closing semicolon.
    package static func format(_ statement: Statement) -> String {
        var writer = SQLWriter()
        writer.statement(statement)
        return writer.text
    }

    /// The same for a type.
    package static func format(_ type: TypeName) -> String {
        var writer = SQLWriter()
        writer.type(type)
        return writer.text
    }

    /// The same for a name, with quotes only where a part needs them.
    package static func format(_ name: QualifiedName) -> String {
        var writer = SQLWriter()
        writer.name(name)
        return writer.text
    }

    /// A name as it must be written: in double quotes unless it is a plain lower-case word.
    package static func quoted(name: String) -> String {
        let isPlain =
            !name.isEmpty && !(name.utf8.first ?? 48 < 58 && name.utf8.first ?? 48 >= 48)
            && name.utf8.allSatisfy {
                ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 95
            }
            && !reservedWords.contains(name.uppercased())
        if isPlain { return name }
        return "\""
            + name.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }

    /// A string literal.
    package static func quoted(string: String) -> String {
        "'"
            + string.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "''") + "'"
    }
}

/// Collects the text; the parts of the language are in extensions.
struct SQLWriter {
    var text = ""

    mutating func write(_ piece: String) { text += piece }

    mutating func list<Element>(
        _ elements: [Element], _ separator: String = ", ",
        _ each: (inout SQLWriter, Element) -> Void
    ) {
        for (index, element) in elements.enumerated() {
            if index > 0 { text += separator }
            each(&self, element)
        }
    }

    mutating func identifier(_ identifier: Identifier) {
        let needsCase = identifier.text != identifier.canonical
        let plain = SQLFormatter.quoted(name: identifier.canonical)
        // Upper case needs no quotes to come back, unless it was in them.
        if needsCase, !identifier.isDelimited, plain == identifier.canonical {
            text += identifier.text
        } else {
            text += SQLFormatter.quoted(name: identifier.text)
        }
    }

    mutating func identifiers(_ identifiers: [Identifier]) {
        write("(")
        list(identifiers) { $0.identifier($1) }
        write(")")
    }

    mutating func name(_ name: QualifiedName) { list(name.parts, ".") { $0.identifier($1) } }

    mutating func string(_ value: String) { text += SQLFormatter.quoted(string: value) }

    mutating func type(_ type: TypeName) {
        switch type.kind {
        case .named(let name, let arguments):
            write(SQLFormatter.quoted(name: name))
            guard !arguments.isEmpty else { return }
            write("(")
            list(arguments) { $0.argument($1) }
            write(")")
        case .row(let fields):
            write("row(")
            list(fields) { writer, field in
                if let name = field.name {
                    writer.identifier(name)
                    writer.write(" ")
                }
                writer.type(field.type)
            }
            write(")")
        case .dateTime(let kind, let precision, let withZone):
            write(kind == .time ? "time" : "timestamp")
            if let precision {
                write("(")
                argument(precision)
                write(")")
            }
            if withZone { write(" with time zone") }
        case .intervalYearToMonth: write("interval year to month")
        case .intervalDayToSecond: write("interval day to second")
        }
    }

    private mutating func argument(_ argument: TypeName.Argument) {
        switch argument {
        case .type(let inner): type(inner)
        case .number(let number): write(String(number))
        }
    }
}
