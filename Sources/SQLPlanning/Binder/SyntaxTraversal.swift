import SQLFunctions
import SQLSyntax

extension Expression {
    /// The expressions directly below, without those inside of subqueries.
    var subexpressions: [Expression] {
        switch kind {
        case .null, .boolean, .integer, .decimal, .double, .string, .bytes, .typed, .interval,
            .parameter, .identifier, .exists, .unique, .subquery, .special:
            []
        case .dereference(let base, _): [base]
        case .negate(let operand), .plus(let operand), .not(let operand), .isNull(let operand, _),
            .isTruth(let operand, _, _), .inSubquery(let operand, _, _),
            .quantified(let operand, _, _, _), .atLocal(let operand), .cast(let operand, _, _),
            .lambda(_, let operand), .extract(_, let operand), .normalize(let operand, _):
            [operand]
        case .binary(_, let left, let right), .comparison(_, let left, let right),
            .isDistinct(let left, let right, _), .overlaps(let left, let right),
            .atTimeZone(let left, let right), .subscripted(let left, let right):
            [left, right]
        case .and(let terms), .or(let terms), .row(let terms), .array(let terms),
            .grouping(let terms):
            terms
        case .between(let value, let low, let high, _): [value, low, high]
        case .inList(let value, let list, _): [value] + list
        case .like(let value, let pattern, let escape, _):
            [value, pattern] + (escape.map { [$0] } ?? [])
        case .caseWhen(let operand, let clauses, let otherwise):
            (operand.map { [$0] } ?? []) + clauses.flatMap { [$0.condition, $0.result] }
                + (otherwise.map { [$0] } ?? [])
        case .function(let call): call.subexpressions
        case .trim(_, let characters, let value): (characters.map { [$0] } ?? []) + [value]
        case .jsonExists(let path, _), .jsonValue(let path, _), .jsonQuery(let path, _):
            [path.input.value] + path.passing.map(\.input.value)
        case .jsonObject(let members, _): members.flatMap { [$0.key, $0.input.value] }
        case .jsonArray(let inputs, _): inputs.map(\.value)
        }
    }

    /// Whether a subquery stands anywhere inside.
    var hasSubquery: Bool {
        switch kind {
        case .exists, .unique, .subquery, .inSubquery, .quantified: true
        default: subexpressions.contains { $0.hasSubquery }
        }
    }

    /// Visits the expression and those below; stops going down where `visit` says false.
    func walk(_ visit: (Expression) -> Bool) {
        guard visit(self) else { return }
        for child in subexpressions { child.walk(visit) }
    }
}

extension FunctionCall {
    var subexpressions: [Expression] {
        var result = arguments.map(\.value) + orderBy.map(\.expression)
        if let filter { result.append(filter) }
        if case .specification(let window)? = window {
            result += window.partitionBy + window.orderBy.map(\.expression)
            for bound in [window.frame?.start, window.frame?.end] {
                switch bound {
                case .preceding(let offset)?, .following(let offset)?: result.append(offset)
                default: break
                }
            }
        }
        return result
    }
}
