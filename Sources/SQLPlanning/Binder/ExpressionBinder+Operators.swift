import CivilTime
import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

extension ExpressionBinder {
    func negate(_ operand: Expression, _ span: SourceSpan) throws(QueryFault) -> BoundExpression {
        let bound = try bind(operand)
        if bound.type.isInterval { return try call("$interval_negate", [bound], span) }
        guard bound.type.isNumeric || bound.type == .unknown else {
            throw .analysis(
                .typeMismatch, "Cannot negate \(bound.type)", span)
        }
        return .negate(bound.type == .unknown ? bound.coerced(to: .integer) : bound)
    }

    func arithmetic(
        _ op: BinaryOperator, _ left: BoundExpression, _ right: BoundExpression, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        if op == .concatenate { return try call("concat", [left, right], span) }
        guard let arithmetic = ArithmeticOperator(rawValue: op.rawValue) else {
            throw mismatch(op.rawValue, left, right, span)
        }
        if left.type.isTemporal || left.type.isInterval || right.type.isTemporal
            || right.type.isInterval
        {
            return try temporal(arithmetic, left, right, span)
        }
        guard let common = LogicalType.commonSuperType(left.type, right.type),
            common.isNumeric || common == .unknown
        else { throw mismatch(op.rawValue, left, right, span) }
        guard common.isDecimal else {
            let type = common == .unknown ? .integer : common
            return .arithmetic(
                arithmetic, left.coerced(to: type), right.coerced(to: type), type: type)
        }
        let (first, second) = (asDecimal(left, common), asDecimal(right, common))
        guard let one = first.type.asDecimal, let two = second.type.asDecimal else {
            throw mismatch(op.rawValue, left, right, span)
        }
        let type: LogicalType? =
            switch arithmetic {
            case .add, .subtract: DecimalRules.sum(one, two)
            case .multiply: DecimalRules.product(one, two)
            case .divide: DecimalRules.quotient(one, two)
            case .modulus: DecimalRules.remainder(one, two)
            }
        guard let type else {
            throw .analysis(
                .typeMismatch,
                "DECIMAL scale must be in range [0, precision (38)]: "
                    + "\(one.scale + two.scale)", span)
        }
        return .arithmetic(arithmetic, first, second, type: type)
    }

    /// An operand of decimal arithmetic: integers become decimals that hold them all.
    private func asDecimal(_ operand: BoundExpression, _ common: LogicalType) -> BoundExpression {
        guard let own = operand.type.asDecimal else { return operand.coerced(to: common) }
        return operand.coerced(to: .decimal(precision: own.precision, scale: own.scale))
    }

    private func mismatch(
        _ op: String, _ left: BoundExpression, _ right: BoundExpression, _ span: SourceSpan
    ) -> QueryFault {
        .analysis(
            .typeMismatch, "Cannot apply operator: \(left.type) \(op) \(right.type)", span,
            hint: left.type.isText != right.type.isText
                ? "there is no implicit conversion between text and other types: use CAST" : nil)
    }

    private func temporal(
        _ op: ArithmeticOperator, _ left: BoundExpression, _ right: BoundExpression,
        _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        let (first, second) = (left.type, right.type)
        switch op {
        case .add where first.isTemporal && (second.isInterval || second == .unknown):
            return try shifted(left, right, .add, span)
        case .add where (first.isInterval || first == .unknown) && second.isTemporal:
            return try shifted(right, left, .add, span)
        case .subtract where first.isTemporal && second.isInterval:
            return try shifted(left, right, .subtract, span)
        case .subtract where first.isTemporal && second.isTemporal:
            guard let common = LogicalType.commonSuperType(first, second) else { break }
            return try call(
                "$subtract_times", [left.coerced(to: common), right.coerced(to: common)], span)
        case .add where first.isInterval && first == second:
            return try call("$interval_add", [left, right], span)
        case .subtract where first.isInterval && first == second:
            return try call("$interval_subtract", [left, right], span)
        case .multiply where first.isInterval && second.isNumeric:
            return try call("$interval_multiply", [left, right.coerced(to: .double)], span)
        case .multiply where first.isNumeric && second.isInterval:
            return try call("$interval_multiply", [right, left.coerced(to: .double)], span)
        case .divide where first.isInterval && second.isNumeric:
            return try call("$interval_divide", [left, right.coerced(to: .double)], span)
        default: break
        }
        throw mismatch(op.rawValue, left, right, span)
    }

    /// `time ± interval`; a literal date with a literal interval is computed here.
    private func shifted(
        _ time: BoundExpression, _ interval: BoundExpression, _ op: ArithmeticOperator,
        _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        if time.type == .date, case .literal(.integer(let start), _) = time,
            case .literal(.integer(let amount), let kind) = interval,
            let days = Int32(exactly: start),
            amount != .min
        {
            let signed = op == .add ? amount : -amount
            if kind == .intervalYearToMonth {
                if let result = Calendar.addMonths(signed, to: days) {
                    return .literal(.integer(Int64(result)), .date)
                }
            } else if signed % 86_400_000 == 0,
                let result = Int32(exactly: Int64(days) + signed / 86_400_000)
            {
                return .literal(.integer(Int64(result)), .date)
            }
        }
        return try call(
            op == .add ? "$add_interval" : "$subtract_interval", [time, interval], span)
    }

    func comparison(
        _ op: ComparisonOperator, _ left: BoundExpression, _ right: BoundExpression,
        _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        guard let common = LogicalType.commonSuperType(left.type, right.type) else {
            throw mismatch(op.rawValue, left, right, span)
        }
        let isOrder: Bool =
            switch op {
            case .less, .lessOrEqual, .greater, .greaterOrEqual: true
            default: false
            }
        guard isOrder ? common.isOrderable : common.isComparable else {
            throw mismatch(op.rawValue, left, right, span)
        }
        return .comparison(op, left.coerced(to: common), right.coerced(to: common))
    }

    func logical(_ terms: [Expression]) throws(QueryFault) -> [BoundExpression] {
        var result: [BoundExpression] = []
        for term in terms {
            let bound = try bind(term)
            guard bound.type == .boolean || bound.type == .unknown else {
                throw .analysis(
                    .typeMismatch,
                    "Logical expression term must evaluate to a boolean (actual: \(bound.type))",
                    term.span)
            }
            result.append(bound.coerced(to: .boolean))
        }
        return result
    }

    func between(
        _ value: Expression, _ low: Expression, _ high: Expression, _ negated: Bool,
        _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        let bound = try bind(value)
        let lower = try bind(low)
        let upper = try bind(high)
        guard let common = LogicalType.commonSuperType([bound.type, lower.type, upper.type]),
            common.isOrderable
        else {
            throw .analysis(
                .typeMismatch,
                "Cannot check if \(bound.type) is BETWEEN \(lower.type) and \(upper.type)", span)
        }
        let operand = bound.coerced(to: common)
        let first = BoundExpression.comparison(.greaterOrEqual, operand, lower.coerced(to: common))
        let second = BoundExpression.comparison(.lessOrEqual, operand, upper.coerced(to: common))
        return negated
            ? .or([
                .comparison(.less, operand, lower.coerced(to: common)),
                .comparison(.greater, operand, upper.coerced(to: common)),
            ]) : .and([first, second])
    }

    func inList(
        _ value: Expression, _ list: [Expression], _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        let operand = try bind(value)
        let members = try bind(all: list)
        guard let common = LogicalType.commonSuperType([operand.type] + members.map(\.type)) else {
            let other = members.first {
                LogicalType.commonSuperType(operand.type, $0.type) == nil
            }
            throw .analysis(
                .typeMismatch,
                "IN value and list items may not have different types: "
                    + "\(operand.type), \(other?.type ?? .unknown)", span)
        }
        if members.count == 1 {
            return .comparison(.equal, operand.coerced(to: common), members[0].coerced(to: common))
        }
        return .inList(operand.coerced(to: common), members.map { $0.coerced(to: common) })
    }

    func like(
        _ value: Expression, _ pattern: Expression, _ escape: Expression?
    ) throws(QueryFault) -> BoundExpression {
        func text(_ expression: Expression, _ what: String) throws(QueryFault) -> BoundExpression {
            let bound = try bind(expression)
            guard bound.type.isText || bound.type == .unknown else {
                throw .analysis(
                    .typeMismatch, "\(what) must evaluate to a varchar (actual: \(bound.type))",
                    expression.span)
            }
            return bound.type.isVarchar ? bound : bound.coerced(to: .text)
        }
        let operand = try text(value, "Left side of LIKE expression")
        let mask = try text(pattern, "Pattern for LIKE expression")
        guard let escape else { return .like(operand, pattern: mask, escape: nil) }
        return .like(
            operand, pattern: mask, escape: try text(escape, "Escape for LIKE expression"))
    }

    func cast(
        _ operand: BoundExpression, _ type: LogicalType, _ isTry: Bool, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        guard operand.type.casts(to: type) else {
            throw .analysis(.typeMismatch, "Cannot cast \(operand.type) to \(type)", span)
        }
        if operand.type == type { return operand }
        if operand.isNullLiteral { return .null(type) }
        return .cast(operand, to: type, isSafe: isTry)
    }

    func subscripted(
        _ base: BoundExpression, _ index: BoundExpression, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        if case .row(let fields) = base.type {
            guard case .literal(.integer(let position), _) = index, position >= 1,
                position <= Int64(fields.count)
            else {
                throw .analysis(
                    .typeMismatch,
                    "Subscript expression on ROW requires a constant index from 1 to \(fields.count)",
                    span)
            }
            return .field(base, index: Int(position) - 1, type: fields[Int(position) - 1].type)
        }
        return try call("$subscript", [base, index], span)
    }

    func caseWhen(
        _ operand: Expression?, _ clauses: [WhenClause], _ otherwise: Expression?,
        _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        let subject: BoundExpression? = if let operand { try bind(operand) } else { nil }
        var conditions: [BoundExpression] = []
        var values: [BoundExpression] = []
        for clause in clauses {
            if let subject {
                conditions.append(
                    try comparison(
                        .equal, subject, try bind(clause.condition), clause.condition.span))
            } else {
                conditions.append(try predicate(clause.condition, clause: "CASE WHEN clause"))
            }
            values.append(try bind(clause.result))
        }
        if let otherwise { values.append(try bind(otherwise)) }
        let type = try common(values.map(\.type), "All CASE results", span)
        let branches = zip(conditions, values).map {
            WhenBranch(condition: $0, value: $1.coerced(to: type))
        }
        return .caseWhen(
            branches, otherwise: otherwise == nil ? nil : values.last?.coerced(to: type), type: type
        )
    }

    func common(
        _ types: [LogicalType], _ what: String, _ span: SourceSpan
    ) throws(QueryFault) -> LogicalType {
        if let type = LogicalType.commonSuperType(types) { return type }
        var seen: Set<LogicalType> = []
        let distinct = types.filter { seen.insert($0).inserted }
        let clash = distinct.first { LogicalType.commonSuperType(distinct[0], $0) == nil }
        throw .analysis(
            .typeMismatch,
            "\(what) must be the same type or coercible to a common type. Cannot find common type between "
                + "\(distinct[0]) and \(clash ?? distinct[distinct.count - 1]), all types (without "
                + "duplicates): [\(distinct.map(\.description).joined(separator: ", "))]", span)
    }

    func overlaps(
        _ left: Expression, _ right: Expression, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        guard case .row(let first) = left.kind, case .row(let second) = right.kind,
            first.count == 2,
            second.count == 2
        else { throw .analysis(.typeMismatch, "OVERLAPS takes two pairs", span) }
        /// The pair in order; an interval counts from the start.
        func period(_ pair: [Expression]) throws(QueryFault) -> (BoundExpression, BoundExpression) {
            let start = try bind(pair[0])
            var end = try bind(pair[1])
            if end.type.isInterval { end = try arithmetic(.add, start, end, span) }
            guard let type = LogicalType.commonSuperType(start.type, end.type) else {
                throw mismatch("OVERLAPS", start, end, span)
            }
            let (one, two) = (start.coerced(to: type), end.coerced(to: type))
            let swapped = WhenBranch(condition: .comparison(.less, two, one), value: two)
            let other = WhenBranch(condition: .comparison(.less, two, one), value: one)
            return (
                .caseWhen([swapped], otherwise: one, type: type),
                .caseWhen([other], otherwise: two, type: type)
            )
        }
        let (firstStart, firstEnd) = try period(first)
        let (secondStart, secondEnd) = try period(second)
        return .or([
            .and([
                try comparison(.greater, firstStart, secondStart, span),
                try comparison(.less, firstStart, secondEnd, span),
            ]),
            .and([
                try comparison(.greater, secondStart, firstStart, span),
                try comparison(.less, secondStart, firstEnd, span),
            ]),
            try comparison(.equal, firstStart, secondStart, span),
        ])
    }
}
