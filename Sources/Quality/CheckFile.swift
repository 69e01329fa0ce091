import Diagnostics
import JSON
package import SQLPlanning
import YAML

/// Reads a file with checks.
///
///     checks:
///       - table: silver.banking.transactions
///         severity: fail                    # the default of the checks below
///         checks:
///           - not_null: [account_id, amount]
///           - uniqueness: transaction_id
///           - positive: {column: amount, severity: warn}
///           - name: known_currencies
///             accepted_values: {column: currency, values: [EUR, USD]}
package enum CheckFile {
    /// Whether a document declares checks and not a pipeline.
    package static func isOne(_ text: String) -> Bool {
        guard let root = try? YAMLDocument.parse(text, name: "") else { return false }
        return root["checks"] != nil && root["steps"] == nil
    }

    /// The checks of a file; faults carry its name, line and column.
    package static func parse(_ text: String, source: String) throws -> [Check] {
        let root = try YAMLDocument.parse(text, name: source)
        try root.allow(keys: ["checks"])
        var checks: [Check] = []
        for node in try root.required("checks").sequence() {
            try node.allow(keys: ["table", "severity", "checks"])
            let table = try tableName(node.required("table"))
            let severity = try node["severity"]?.string()
            for entry in try node.required("checks").sequence() {
                let check = try check(entry, table, severity, source)
                guard !checks.contains(where: { $0.table == table && $0.name == check.name })
                else { throw invalid(entry, "two checks of \(table) are called \(check.name)") }
                checks.append(check)
            }
        }
        return checks
    }

    private static func check(
        _ node: YAMLNode, _ table: TableName, _ severity: String?, _ source: String
    ) throws -> Check {
        var kind: YAMLNode.Entry?
        var name: String?
        var options = JSONObject()
        for entry in try node.mapping() {
            switch entry.key {
            case "name": name = try entry.value.string()
            case "severity", "where", "description":
                options.append(entry.key, .string(try entry.value.string()))
            default:
                guard kind == nil else {
                    throw invalid(node, "an entry has one kind of check: \(entry.key)")
                }
                kind = entry
            }
        }
        guard let kind else { throw invalid(node, "the kind of check is missing") }
        if case .mapping(let members) = kind.value.kind {
            for member in members {
                guard options[member.key] == nil else {
                    throw invalid(member.value, "\(member.key) is given twice")
                }
                options.append(member.key, try json(member.value))
            }
        } else if let main = CheckKind(rawValue: kind.key)?.mainOption {
            options.append(main, try json(kind.value))
        } else if CheckKind(rawValue: kind.key) != nil {
            throw invalid(kind.value, "\(kind.key) wants a mapping of its options")
        }
        if options["severity"] == nil, let severity {
            options.append("severity", .string(severity))
        }
        do throws(QualityError) {
            var check = try Check(
                table: table, name: name, kind: kind.key, options: options, source: source)
            check.place = "\(node.name):\(node.span.line):\(node.span.column)"
            return check
        } catch { throw invalid(node, error.message, hint: error.hint) }
    }

    private static func tableName(_ node: YAMLNode) throws -> TableName {
        let text = try node.string()
        guard let name = CheckFile.tableName(text) else {
            throw invalid(node, "a table is named warehouse.namespace.table, not \(text)")
        }
        return name
    }

    /// `silver.banking.transactions`; what stands between warehouse and table is the schema.
    package static func tableName(_ text: String) -> TableName? {
        let parts = text.lowercased().split(separator: ".", omittingEmptySubsequences: false)
            .map(String.init)
        guard parts.count >= 3, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        return TableName(
            catalog: parts[0], schema: parts[1..<(parts.count - 1)].joined(separator: "."),
            table: parts[parts.count - 1])
    }

    private static func json(_ node: YAMLNode) throws -> JSONValue {
        switch node.kind {
        case .sequence(let elements): return .array(try elements.map { try json($0) })
        case .mapping(let entries):
            return .object(try entries.map { ($0.key, try json($0.value)) })
        case .scalar(let text, let isPlain):
            if !isPlain { return .string(text) }
            if node.isNull { return .null }
            if text == "true" || text == "false" { return .bool(text == "true") }
            // As it is written, and the column's type decides: 007 and NO are texts in a column of
            // texts, and a decimal must not become a double.
            if case .number(let number)? = try? JSONValue(parsing: text), number.text == text {
                return .number(number)
            }
            return .string(text)
        }
    }

    private static func invalid(
        _ node: YAMLNode, _ message: String, hint: String? = nil
    ) -> QualityError {
        QualityError(
            .invalidCheck, "\(node.name):\(node.span.line):\(node.span.column): \(message)",
            hint: hint)
    }
}
