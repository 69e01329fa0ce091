import Iceberg
package import JSON

/// A rule that every commit to a table keeps, whoever writes: what its metadata can prove is let in.
///
///     {"rule": "not_null", "column": "id"}
///     {"rule": "range", "column": "amount", "min": 0, "max": 10000}
///     {"rule": "append_only"}                           rows are added, none is changed or removed
///     {"rule": "schema", "mode": "compatible"}          columns are added or widened, none goes; or "frozen"
///     {"rule": "rows", "min": 1}                        of the table after the commit; or "max"
///
/// Values are proven by the column metrics of the files that a commit adds: a file without them is
/// refused, since nothing is known of it.
package struct Contract: Sendable, Hashable {
    /// What it demands.
    package enum Rule: Sendable, Hashable {
        case notNull(column: String)
        case range(column: String, minimum: JSONValue?, maximum: JSONValue?)
        case appendOnly
        case schema(isFrozen: Bool)
        case rows(minimum: Int64?, maximum: Int64?)
    }

    package var name: String
    package var rule: Rule

    /// A rule under a name that refusals tell.
    package init(name: String, rule: Rule) {
        self.name = name
        self.rule = rule
    }

    /// Reads a rule. Throws for one that is unknown or says nothing.
    package init(name: String, _ at: JSONCursor) throws {
        self.name = name
        func given(_ member: String) -> JSONValue? {
            at[member].isPresent ? at[member].value : nil
        }
        switch try at["rule"].string() {
        case "not_null": rule = .notNull(column: try at["column"].string())
        case "range":
            let (minimum, maximum) = (given("min"), given("max"))
            guard minimum != nil || maximum != nil else {
                throw CatalogError(
                    code: .invalidRequest, message: "the contract \(name) has neither min nor max")
            }
            rule = .range(
                column: try at["column"].string(), minimum: minimum, maximum: maximum)
        case "append_only": rule = .appendOnly
        case "schema":
            let mode = try at["mode"].optionalString() ?? "compatible"
            guard ["compatible", "frozen"].contains(mode) else {
                throw CatalogError(
                    code: .invalidRequest,
                    message: "a schema contract is compatible or frozen, not \(mode)")
            }
            rule = .schema(isFrozen: mode == "frozen")
        case "rows":
            let (minimum, maximum) = (
                try at["min"].optionalInt64(), try at["max"].optionalInt64()
            )
            guard minimum != nil || maximum != nil else {
                throw CatalogError(
                    code: .invalidRequest, message: "the contract \(name) has neither min nor max")
            }
            rule = .rows(minimum: minimum, maximum: maximum)
        case let other:
            throw CatalogError(
                code: .invalidRequest, message: "unknown contract rule: \(other)",
                hint: "there are not_null, range, append_only, schema and rows")
        }
    }

    /// The rule as JSON.
    package var json: JSONValue {
        switch rule {
        case .notNull(let column): return ["rule": "not_null", "column": .string(column)]
        case .range(let column, let minimum, let maximum):
            var members: [(String, JSONValue)] = [
                ("rule", "range"), ("column", .string(column)),
            ]
            if let minimum { members.append(("min", minimum)) }
            if let maximum { members.append(("max", maximum)) }
            return .object(members)
        case .appendOnly: return ["rule": "append_only"]
        case .schema(let isFrozen):
            return ["rule": "schema", "mode": isFrozen ? "frozen" : "compatible"]
        case .rows(let minimum, let maximum):
            var members: [(String, JSONValue)] = [("rule", "rows")]
            if let minimum { members.append(("min", .int(minimum))) }
            if let maximum { members.append(("max", .int(maximum))) }
            return .object(members)
        }
    }

    /// The columns it is about have to be there, with a type that it can judge. Throws otherwise.
    func check(against schema: Schema) throws {
        switch rule {
        case .notNull(let column), .range(let column, _, _):
            guard let field = schema.field(named: column) else {
                throw CatalogError(
                    code: .invalidRequest, message: "the table has no column \(column)")
            }
            guard case .range(_, let minimum, let maximum) = rule else { return }
            for value in [minimum, maximum] {
                guard let value else { continue }
                guard let type = field.type.primitive, Literal(json: value, type: type) != nil
                else {
                    throw CatalogError(
                        code: .invalidRequest,
                        message: "\(value.encodedText()) is no value of column \(column)")
                }
            }
        case .appendOnly, .schema, .rows: return
        }
    }
}
