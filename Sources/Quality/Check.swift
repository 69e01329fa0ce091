import Diagnostics
package import JSON
package import SQLPlanning

/// A check of a table, as declared.
package struct Check: Sendable {
    /// The table, by its warehouse without a reference: a check is about the table on every branch.
    package let table: TableName
    /// Unique among the table's, in lower case.
    package let name: String
    package let kind: CheckKind
    package let severity: CheckSeverity
    /// As given, with `severity`, `where` and `description`.
    package let options: JSONObject
    /// The file that declares it, or `sql`.
    package let source: String
    /// `file:line:column`, for messages; empty for checks that are not read from a file just now.
    var place = ""
    let rule: CheckRule
    /// Rows that the check is not about are left out by this condition.
    let filter: String?

    /// Reads a declaration; faults tell which option is wrong.
    package init(
        table: TableName, name: String?, kind kindName: String, options: JSONObject, source: String
    ) throws(QualityError) {
        guard let kind = CheckKind(rawValue: kindName.lowercased()) else {
            let known = CheckKind.allCases.map(\.rawValue)
            throw QualityError(
                .invalidCheck, "unknown kind of check: \(kindName)",
                hint: nearestName(to: kindName.lowercased(), among: known)
                    .map { "did you mean \($0)?" } ?? "kinds: \(known.joined(separator: ", "))")
        }
        rule = try CheckRule(kind, options)
        self.table = table
        self.kind = kind
        self.options = options
        self.source = source
        var severity = CheckSeverity.fail
        if case .string(let text)? = options["severity"] {
            severity = CheckSeverity(rawValue: text.lowercased()) ?? .fail
        }
        self.severity = severity
        if case .string(let text)? = options["where"] {
            filter = CheckSQL.ended(text)
        } else {
            filter = nil
        }
        let plain = ([kind.rawValue] + rule.columns).joined(separator: "_").lowercased()
        self.name = (name ?? plain).lowercased()
        guard !self.name.isEmpty, self.name.utf8.count <= QualityLimits.nameBytes else {
            throw QualityError(
                .invalidCheck, "a check's name has 1 to \(QualityLimits.nameBytes) bytes")
        }
    }
}

/// Limits of checks.
enum QualityLimits {
    /// UTF-8 bytes of a check's name.
    static let nameBytes = 128
    /// Bad rows that a result shows, and the bytes that one result's rows may take.
    static let sampleRows = 5
    static let sampleBytes = 16_384
    /// Results that are kept.
    static let keptResults = 100_000
    /// Results that the system table shows.
    static let listedResults = 10_000
    /// Bytes of a file with checks.
    static let fileBytes = 1 << 20
}
