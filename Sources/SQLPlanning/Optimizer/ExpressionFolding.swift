import SQLFunctions
import Vectors

/// Simplifies expressions: constants are computed, boolean algebra is done, common terms of an OR come
/// out. What may fail is left alone when its evaluation fails: the failure belongs to execution.
package struct ExpressionFolding {
    package let evaluator: (any ConstantEvaluator)?
    /// Deeper calls than this are not worth it.
    private static let maxNodes = 10_000

    package init(evaluator: (any ConstantEvaluator)?) { self.evaluator = evaluator }

    /// The simplified expression, of the same type.
    package func folded(_ expression: BoundExpression) -> BoundExpression {
        expression.transformed { node in step(node) }
    }

    private func step(_ node: BoundExpression) -> BoundExpression {
        switch node {
        case .literal, .column, .lambda: return node
        case .and(let terms): return conjunction(terms.flatMap(\.conjuncts))
        case .or(let terms): return disjunction(terms.flatMap(\.disjuncts))
        case .not(let operand): return negation(operand)
        case .isNull(.literal(let value, _)): return .literal(.boolean(value == .null), .boolean)
        case .comparison(let op, let left, let right):
            if let known = compare(op, left, right) { return known }
        case .arithmetic(
            let op, .literal(let left, let one), .literal(let right, let other), let type):
            if let value = exact(op, left, one, right, other, type) { return .literal(value, type) }
        case .cast(.literal(let value, let own), let type, _):
            let relabelled = BoundExpression.literal(value, own).coerced(to: type)
            if case .literal = relabelled, own.coerces(to: type) { return relabelled }
        case .caseWhen(let branches, let otherwise, let type):
            return choice(branches, otherwise, type)
        case .coalesce(let terms, let type):
            var kept: [BoundExpression] = []
            for term in terms where !term.isNullLiteral {
                kept.append(term)
                if term.literalValue != nil { break }
            }
            if kept.isEmpty { return .null(type) }
            if kept.count == 1 || kept[0].literalValue != nil { return kept[0] }
            return .coalesce(kept, type: type)
        case .inList(let operand, let list):
            if operand.isNullLiteral { return .null(.boolean) }
            if list.count == 1 { return .comparison(.equal, operand, list[0]) }
        case .like(let operand, let pattern, nil):
            // A pattern without wildcards is an equality.
            if case .literal(.bytes(let bytes), _) = pattern, operand.type.isVarchar,
                !bytes.contains(UInt8(ascii: "%")), !bytes.contains(UInt8(ascii: "_"))
            {
                return .comparison(.equal, operand, pattern.coerced(to: operand.type))
            }
        default: break
        }
        return evaluated(node)
    }

    /// Asks the evaluator when everything below is a literal.
    private func evaluated(_ node: BoundExpression) -> BoundExpression {
        guard let evaluator, !node.children.isEmpty || node.isCall,
            node.children.allSatisfy({ child in
                if case .lambda(_, let body) = child { return body.columns.isEmpty }
                return child.literalValue != nil
            }), node.isDeterministic, node.nodeCount < Self.maxNodes,
            let value = evaluator.folded(node)
        else { return node }
        return .literal(value, node.type)
    }

    /// Sums, differences and products of integers and decimals that fit their type.
    private func exact(
        _ op: ArithmeticOperator, _ left: LiteralValue, _ one: LogicalType, _ right: LiteralValue,
        _ other: LogicalType, _ type: LogicalType
    ) -> LiteralValue? {
        guard let first = left.whole, let second = right.whole, let own = one.asDecimal,
            let scales = other.asDecimal, type.isDecimal || type.isInteger
        else { return nil }
        func scaled(_ value: Int128, _ digits: Int) -> Int128? {
            var result = value
            for _ in 0..<max(0, digits) {
                let (product, overflow) = result.multipliedReportingOverflow(by: 10)
                if overflow { return nil }
                result = product
            }
            return result
        }
        let scale = max(own.scale, scales.scale)
        let result: (partialValue: Int128, overflow: Bool)
        switch op {
        case .add, .subtract:
            guard let augend = scaled(first, scale - own.scale),
                let addend = scaled(second, scale - scales.scale)
            else { return nil }
            result =
                op == .add
                ? augend.addingReportingOverflow(addend)
                : augend.subtractingReportingOverflow(addend)
        case .multiply: result = first.multipliedReportingOverflow(by: second)
        case .divide, .modulus: return nil
        }
        guard !result.overflow else { return nil }
        if case .decimal(let precision, _) = type {
            guard let limit = scaled(1, precision), result.partialValue.magnitude < limit.magnitude
            else { return nil }
            return precision <= 18
                ? Int64(exactly: result.partialValue).map { .integer($0) }
                : .wide(result.partialValue)
        }
        guard let small = Int64(exactly: result.partialValue), type.holds(small) else { return nil }
        return .integer(small)
    }

    private func conjunction(_ terms: [BoundExpression]) -> BoundExpression {
        var kept: [BoundExpression] = []
        var seen: Set<String> = []
        for term in terms {
            if term.isFalse { return .false_ }
            if term.isTrue { continue }
            if !term.isDeterministic || seen.insert(term.identity).inserted { kept.append(term) }
        }
        return .all(kept)
    }

    /// `(a AND b) OR (a AND c)` is `a AND (b OR c)`: what joins and scans can use comes to the top.
    private func disjunction(_ terms: [BoundExpression]) -> BoundExpression {
        var kept: [BoundExpression] = []
        var seen: Set<String> = []
        for term in terms {
            if term.isTrue { return .true_ }
            if term.isFalse { continue }
            if !term.isDeterministic || seen.insert(term.identity).inserted { kept.append(term) }
        }
        guard kept.count > 1, kept.allSatisfy(\.isDeterministic) else { return .any(kept) }
        let branches = kept.map { branch in branch.conjuncts.map { ($0, $0.identity) } }
        let first = branches[0]
        let common = first.filter { term in
            branches.dropFirst().allSatisfy { $0.contains { $0.1 == term.1 } }
        }
        guard !common.isEmpty else { return equalities(kept) ?? .any(kept) }
        let texts = Set(common.map(\.1))
        let rest = branches.map { branch in
            BoundExpression.all(branch.filter { !texts.contains($0.1) }.map(\.0))
        }
        let remaining: BoundExpression =
            rest.contains(where: \.isTrue) ? .true_ : equalities(rest) ?? .any(rest)
        return conjunction(common.map(\.0) + [remaining])
    }

    /// `a = 1 OR a = 2` is `a IN (1, 2)`.
    private func equalities(_ terms: [BoundExpression]) -> BoundExpression? {
        var operand: BoundExpression?
        var members: [BoundExpression] = []
        for term in terms {
            switch term {
            case .comparison(.equal, let left, let right) where right.literalValue != nil:
                guard operand == nil || operand?.identity == left.identity else { return nil }
                operand = left
                members.append(right)
            case .inList(let left, let list) where list.allSatisfy({ $0.literalValue != nil }):
                guard operand == nil || operand?.identity == left.identity else { return nil }
                operand = left
                members += list
            default: return nil
            }
        }
        guard let operand, members.count > 1, operand.literalValue == nil else { return nil }
        return .inList(operand, members)
    }

    private func negation(_ operand: BoundExpression) -> BoundExpression {
        switch operand {
        case .literal(.boolean(let value), _): return .literal(.boolean(!value), .boolean)
        case .literal(.null, _): return operand
        case .not(let inner): return inner
        case .comparison(let op, let left, let right):
            // NaN compares false with everything, so that the negation of an order is no order.
            let isOrder = op != .equal && op != .notEqual && op != .distinct && op != .notDistinct
            if isOrder && left.type.hasNaN { return .not(operand) }
            return .comparison(op.negated, left, right)
        case .and(let terms): return disjunction(terms.map { negation($0) })
        case .or(let terms): return conjunction(terms.map { negation($0) })
        default: return .not(operand)
        }
    }

    private func choice(
        _ branches: [WhenBranch], _ otherwise: BoundExpression?, _ type: LogicalType
    ) -> BoundExpression {
        var kept: [WhenBranch] = []
        for branch in branches {
            if branch.condition.isFalse || branch.condition.isNullLiteral { continue }
            if branch.condition.isTrue {
                return kept.isEmpty
                    ? branch.value : .caseWhen(kept, otherwise: branch.value, type: type)
            }
            kept.append(branch)
        }
        if kept.isEmpty { return otherwise ?? .null(type) }
        return .caseWhen(kept, otherwise: otherwise, type: type)
    }

    /// Compares literals of simple types; nil where the types need more than this knows.
    private func compare(
        _ op: ComparisonOperator, _ left: BoundExpression, _ right: BoundExpression
    ) -> BoundExpression? {
        if left.isNullLiteral || right.isNullLiteral {
            switch op {
            case .distinct:
                return left.isNullLiteral && right.isNullLiteral
                    ? .false_ : .not(.isNull(left.isNullLiteral ? right : left))
            case .notDistinct:
                return left.isNullLiteral && right.isNullLiteral
                    ? .true_ : .isNull(left.isNullLiteral ? right : left)
            default: return .null(.boolean)
            }
        }
        guard let one = left.literalValue, let other = right.literalValue else { return nil }
        let order: Int
        switch (one, other) {
        case (.integer(let first), .integer(let second)):
            order = first < second ? -1 : first > second ? 1 : 0
        case (.boolean(let first), .boolean(let second)):
            order = first == second ? 0 : second ? -1 : 1
        case (.bytes(let first), .bytes(let second))
        where left.type.isVarchar && right.type.isVarchar:
            order = first.lexicographicallyPrecedes(second) ? -1 : first == second ? 0 : 1
        default: return nil
        }
        let result =
            switch op {
            case .equal, .notDistinct: order == 0
            case .notEqual, .distinct: order != 0
            case .less: order < 0
            case .lessOrEqual: order <= 0
            case .greater: order > 0
            case .greaterOrEqual: order >= 0
            }
        return .literal(.boolean(result), .boolean)
    }
}

extension LiteralValue {
    /// The unscaled number of an integer or decimal.
    fileprivate var whole: Int128? {
        switch self {
        case .integer(let value): Int128(value)
        case .wide(let value): value
        default: nil
        }
    }
}

extension BoundExpression {
    var isCall: Bool { if case .call = self { true } else { false } }
}

extension LogicalType {
    /// Whether a value may be NaN, for which `not (a < b)` is not `a >= b`.
    var hasNaN: Bool {
        switch self {
        case .real, .double: true
        case .array, .map, .row: children.contains(where: \.hasNaN)
        default: false
        }
    }
}
