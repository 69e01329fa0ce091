import SQLFunctions
package import Vectors

extension BoundExpression {
    package static let true_ = BoundExpression.literal(.boolean(true), .boolean)
    package static let false_ = BoundExpression.literal(.boolean(false), .boolean)

    /// A bigint or integer literal.
    package static func integer(_ value: Int64, _ type: LogicalType = .bigint) -> BoundExpression {
        .literal(.integer(value), type)
    }

    package static func null(_ type: LogicalType) -> BoundExpression { .literal(.null, type) }

    /// The literal, if the expression is one.
    package var literalValue: LiteralValue? {
        if case .literal(let value, _) = self { value } else { nil }
    }

    /// The column, if the expression is nothing else.
    package var columnID: ColumnID? {
        if case .column(let id, _) = self { id } else { nil }
    }

    package var isTrue: Bool { literalValue == .boolean(true) }
    package var isFalse: Bool { literalValue == .boolean(false) }
    package var isNullLiteral: Bool { literalValue == .null }

    /// The expressions directly below.
    package var children: [BoundExpression] {
        switch self {
        case .literal, .column: []
        case .arithmetic(_, let left, let right, _), .comparison(_, let left, let right):
            [left, right]
        case .negate(let operand), .not(let operand), .isNull(let operand),
            .cast(let operand, _, _),
            .tryEvaluate(let operand), .lambda(_, let operand), .field(let operand, _, _):
            [operand]
        case .and(let terms), .or(let terms), .coalesce(let terms, _), .call(_, let terms),
            .row(let terms, _), .array(let terms, _):
            terms
        case .inList(let operand, let list): [operand] + list
        case .like(let operand, let pattern, let escape):
            [operand, pattern] + (escape.map { [$0] } ?? [])
        case .caseWhen(let branches, let otherwise, _):
            branches.flatMap { [$0.condition, $0.value] } + (otherwise.map { [$0] } ?? [])
        }
    }

    /// The same node over children that `transform` gives.
    package func mapChildren(_ transform: (BoundExpression) -> BoundExpression) -> BoundExpression {
        switch self {
        case .literal, .column: self
        case .arithmetic(let op, let left, let right, let type):
            .arithmetic(op, transform(left), transform(right), type: type)
        case .negate(let operand): .negate(transform(operand))
        case .comparison(let op, let left, let right):
            .comparison(op, transform(left), transform(right))
        case .and(let terms): .and(terms.map(transform))
        case .or(let terms): .or(terms.map(transform))
        case .not(let operand): .not(transform(operand))
        case .isNull(let operand): .isNull(transform(operand))
        case .inList(let operand, let list): .inList(transform(operand), list.map(transform))
        case .like(let operand, let pattern, let escape):
            .like(transform(operand), pattern: transform(pattern), escape: escape.map(transform))
        case .cast(let operand, let type, let isSafe):
            .cast(transform(operand), to: type, isSafe: isSafe)
        case .caseWhen(let branches, let otherwise, let type):
            .caseWhen(
                branches.map {
                    WhenBranch(condition: transform($0.condition), value: transform($0.value))
                }, otherwise: otherwise.map(transform), type: type)
        case .coalesce(let terms, let type): .coalesce(terms.map(transform), type: type)
        case .tryEvaluate(let operand): .tryEvaluate(transform(operand))
        case .call(let function, let arguments): .call(function, arguments.map(transform))
        case .lambda(let parameters, let body):
            .lambda(parameters: parameters, body: transform(body))
        case .row(let terms, let type): .row(terms.map(transform), type: type)
        case .array(let terms, let type): .array(terms.map(transform), type: type)
        case .field(let operand, let index, let type):
            .field(transform(operand), index: index, type: type)
        }
    }

    /// Rewrites from the leaves up.
    package func transformed(_ rewrite: (BoundExpression) -> BoundExpression) -> BoundExpression {
        rewrite(mapChildren { $0.transformed(rewrite) })
    }

    /// Adds the columns that the expression reads; a lambda's parameters do not count.
    package func collectColumns(into columns: inout Set<ColumnID>) {
        switch self {
        case .column(let id, _): columns.insert(id)
        case .lambda(let parameters, let body):
            var inner: Set<ColumnID> = []
            body.collectColumns(into: &inner)
            columns.formUnion(inner.subtracting(parameters.map(\.0)))
        default:
            for child in children { child.collectColumns(into: &columns) }
        }
    }

    /// The columns that the expression reads.
    package var columns: Set<ColumnID> {
        var result: Set<ColumnID> = []
        collectColumns(into: &result)
        return result
    }

    /// The expression with columns replaced by other expressions.
    package func substituting(_ values: [ColumnID: BoundExpression]) -> BoundExpression {
        if values.isEmpty { return self }
        return transformed { node in
            if case .column(let id, _) = node, let value = values[id] { return value }
            return node
        }
    }

    /// The expression with columns renamed, a lambda's parameters included.
    func renaming(_ names: [ColumnID: ColumnID]) -> BoundExpression {
        if names.isEmpty { return self }
        return transformed { node in
            switch node {
            case .column(let id, let type): return names[id].map { .column($0, type) } ?? node
            case .lambda(let parameters, let body):
                return .lambda(
                    parameters: parameters.map { (names[$0.0] ?? $0.0, $0.1) }, body: body)
            default: return node
            }
        }
    }

    /// Whether any node satisfies a condition.
    package func contains(where condition: (BoundExpression) -> Bool) -> Bool {
        condition(self) || children.contains { $0.contains(where: condition) }
    }

    /// Same input, same output.
    package var isDeterministic: Bool {
        !contains {
            if case .call(let resolved, _) = $0 {
                !resolved.function.isDeterministic
            } else {
                false
            }
        }
    }

    /// Whether evaluation can fail on data: such expressions are not moved before filters.
    package var canFail: Bool {
        contains { node in
            switch node {
            case .call(let resolved, _): resolved.function.canFail
            case .cast(let operand, let type, let isSafe):
                !isSafe && !operand.type.coerces(to: type)
            case .arithmetic(let op, _, let divisor, let type):
                // Sums that leave the type are rare; a divisor of zero is not.
                (op == .divide || op == .modulus) && type != .double && type != .real
                    && (divisor.literalValue == nil || divisor.literalValue == .integer(0))
            default: false
            }
        }
    }

    /// How many nodes.
    var nodeCount: Int { children.reduce(1) { $0 + $1.nodeCount } }

    /// The conjuncts of a condition; none for TRUE.
    package var conjuncts: [BoundExpression] {
        switch self {
        case .and(let terms): terms.flatMap(\.conjuncts)
        case .literal(.boolean(true), _): []
        default: [self]
        }
    }

    /// The disjuncts of a condition; none for FALSE.
    package var disjuncts: [BoundExpression] {
        switch self {
        case .or(let terms): terms.flatMap(\.disjuncts)
        case .literal(.boolean(false), _): []
        default: [self]
        }
    }

    /// The conjunction of terms: TRUE for none, the term itself for one.
    package static func all(_ terms: [BoundExpression]) -> BoundExpression {
        let flat = terms.flatMap(\.conjuncts)
        return flat.isEmpty ? .true_ : flat.count == 1 ? flat[0] : .and(flat)
    }

    /// The disjunction of terms: FALSE for none.
    package static func any(_ terms: [BoundExpression]) -> BoundExpression {
        let flat = terms.flatMap(\.disjuncts)
        return flat.isEmpty ? .false_ : flat.count == 1 ? flat[0] : .or(flat)
    }

    /// The expression as `type`; a literal or a value of the same bytes is only relabelled.
    package func coerced(to type: LogicalType) -> BoundExpression {
        let own = self.type
        if own == type { return self }
        switch self {
        case .literal(.null, _): return .literal(.null, type)
        case .literal(let value, _) where own.hasSameValues(as: type): return .literal(value, type)
        case .literal(.integer(let value), _) where own.isInteger && type.isInteger:
            return .literal(.integer(value), type)
        case .literal(.integer(let value), _) where own.isInteger && type == .double:
            return .literal(.double(bits: Double(value).bitPattern), type)
        case .literal(let value, _):
            if let scaled = value.rescaled(from: own, to: type) { return .literal(scaled, type) }
        default: break
        }
        if own.isVarchar && type.isVarchar && own.hasSameValues(as: type) { return self }
        return .cast(self, to: type, isSafe: false)
    }
}

extension LiteralValue {
    /// An integer or decimal literal as a decimal of at least the same scale and whole digits.
    func rescaled(from source: LogicalType, to target: LogicalType) -> LiteralValue? {
        guard case .decimal(let precision, let scale) = target, let own = source.asDecimal,
            source.coerces(to: target)
        else { return nil }
        var value: Int128
        switch self {
        case .integer(let small): value = Int128(small)
        case .wide(let wide): value = wide
        default: return nil
        }
        for _ in own.scale..<scale {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
        }
        return precision <= 18 ? Int64(exactly: value).map { .integer($0) } : .wide(value)
    }
}

extension ComparisonOperator {
    /// The operator for swapped operands.
    package var flipped: ComparisonOperator {
        switch self {
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        default: self
        }
    }

    /// The operator that is true where this one is false.
    package var negated: ComparisonOperator {
        switch self {
        case .equal: .notEqual
        case .notEqual: .equal
        case .less: .greaterOrEqual
        case .lessOrEqual: .greater
        case .greater: .lessOrEqual
        case .greaterOrEqual: .less
        case .distinct: .notDistinct
        case .notDistinct: .distinct
        }
    }
}
