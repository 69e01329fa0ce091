import JSON
package import Vectors

/// What JSON_TABLE walks: the root path and the nested ones, and how their rows combine.
package struct JSONTableShape: Sendable {
    /// How the rows of paths combine. Paths are named by their place in `paths`.
    package indirect enum Plan: Sendable {
        case path(Int)
        /// A row of the parent for each of the child's, or alone where the child has none.
        case outer(Int, Plan)
        /// Parents without a child's row go.
        case inner(Int, Plan)
        /// The one's rows, then the other's; what belongs to the other is NULL.
        case union(Plan, Plan)
        case cross(Plan, Plan)
    }

    /// The texts of the paths; the first is the root's.
    package var paths: [String]
    package var plan: Plan
    /// ERROR ON ERROR rather than EMPTY ON ERROR.
    package var failsOnError: Bool

    package init(paths: [String], plan: Plan, failsOnError: Bool) {
        self.paths = paths
        self.plan = plan
        self.failsOnError = failsOnError
    }

    /// A row for each row of the table: of each path its item as JSON and its number from 1, both NULL
    /// where the path takes no part.
    package var elementType: LogicalType {
        .row(
            paths.indices.flatMap { index in
                [
                    RowField(name: "item\(index)", type: .json),
                    RowField(name: "ordinality\(index)", type: .bigint),
                ]
            })
    }

    /// The function that gives these rows as an array, of JSON, path, names and values of PASSING, and the
    /// shape's own text, which tells calls of different shapes apart.
    package func resolved(input: LogicalType) -> ResolvedScalar {
        let parameters: [LogicalType] = [input, .text, .array(.text), .array(.json), .text]
        let result = LogicalType.array(elementType)
        return ResolvedScalar(
            function: ScalarFunction(
                "$json_table", parameters, result, "The rows that JSON_TABLE finds.",
                example: "JSON_TABLE('[1, 2]', 'lax $[*]' COLUMNS (x integer PATH 'lax $'))",
                canFail: true, kernel: { call in JSONTableRows.build(call, self) }),
            parameters: parameters.map { .value($0) }, result: result)
    }

    /// How many rows one input may give.
    static let maxRows = 1_000_000
}

/// The walk over one input.
private struct JSONTableRows {
    private let shape: JSONTableShape
    private let paths: [SQLJSONPath]
    private let variables: [String: JSONValue]

    /// By path, the item at hand and its number.
    typealias Row = [Int: (item: JSONValue, ordinality: Int64)]

    static func build(_ call: KernelCall, _ shape: JSONTableShape) {
        let paths: [SQLJSONPath]
        do throws(QueryFault) {
            var read: [SQLJSONPath] = []
            for text in shape.paths { read.append(try SQLJSONPath(text)) }
            paths = read
        } catch { return call.fail(error) }
        let finder = PathFinder(call)
        let texts = call.input(0, as: Text.self)
        call.lists { row, builder in
            guard let root = parsed(texts[row]) else {
                guard shape.failsOnError else { return true }
                throw QueryFault(
                    .jsonInputConversionError,
                    "conversion to JSON failed: '\(texts[row].string.prefix(200))'")
            }
            let walk = JSONTableRows(
                shape: shape, paths: paths, variables: try finder.variables(row))
            let rows: [Row]
            do throws(QueryFault) { rows = try walk.rows(shape.plan, root) } catch {
                if shape.failsOnError || error.code == .genericInsufficientResources { throw error }
                return true
            }
            let element = builder.children[0]
            for found in rows {
                guard element.reserve() != nil else { break }
                for index in paths.indices {
                    if let (item, ordinality) = found[index] {
                        element.children[index * 2].push(item.encodedText())
                        element.children[index * 2 + 1].push(ordinality)
                    } else {
                        element.children[index * 2].pushNull()
                        element.children[index * 2 + 1].pushNull()
                    }
                }
            }
            return true
        }
    }

    private func rows(
        _ plan: JSONTableShape.Plan, _ context: JSONValue
    ) throws(QueryFault) -> [Row] {
        switch plan {
        case .path(let index):
            return try items(index, context).map { [index: $0] }
        case .outer(let index, let child), .inner(let index, let child):
            var isOuter = false
            if case .outer = plan { isOuter = true }
            var found: [Row] = []
            for item in try items(index, context) {
                let below = try rows(child, item.item)
                if below.isEmpty, isOuter { found.append([index: item]) }
                for var row in below {
                    row[index] = item
                    found.append(row)
                }
                try check(found.count)
            }
            return found
        case .union(let one, let other): return try rows(one, context) + rows(other, context)
        case .cross(let one, let other):
            let left = try rows(one, context)
            let right = try rows(other, context)
            try check(left.count.multipliedReportingOverflow(by: right.count).partialValue)
            return left.flatMap { row in right.map { row.merging($0) { first, _ in first } } }
        }
    }

    private func items(
        _ index: Int, _ context: JSONValue
    ) throws(QueryFault) -> [(item: JSONValue, ordinality: Int64)] {
        do throws(QueryFault) {
            return try PathFinder.find(paths[index], context, variables).enumerated().map {
                (item: $0.element, ordinality: Int64($0.offset) + 1)
            }
        } catch {
            // An error of the root path is the table's; a nested path has then no rows.
            if shape.failsOnError || index == 0 { throw error }
            return []
        }
    }

    private func check(_ count: Int) throws(QueryFault) {
        guard count <= JSONTableShape.maxRows else {
            throw QueryFault(
                .genericInsufficientResources,
                "JSON_TABLE gives more than \(JSONTableShape.maxRows) rows for one input")
        }
    }
}
