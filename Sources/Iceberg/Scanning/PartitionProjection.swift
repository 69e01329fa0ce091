extension ScanPredicate {
    /// A weaker condition on the partition fields of `spec`, by their field ids: true for every
    /// partition that may hold a matching row. The predicate has to be free of `not`.
    func projected(onto spec: PartitionSpec) -> ScanPredicate {
        switch self {
        case .always, .never: return self
        case .and(let parts): return .and(parts.map { $0.projected(onto: spec) })
        case .or(let parts): return .or(parts.map { $0.projected(onto: spec) })
        case .not(let inner): return ScanPredicate.not(inner).withoutNegation.projected(onto: spec)
        case .compare(let id, _, _), .isIn(let id, _), .isNotIn(let id, _), .isNull(let id),
            .isNotNull(let id), .isNaN(let id), .isNotNaN(let id), .startsWith(let id, _),
            .notStartsWith(let id, _):
            let parts = spec.fields.filter { $0.sourceID == id }.map { projected(onto: $0) }
            return parts.isEmpty ? .always : parts.count == 1 ? parts[0] : .and(parts)
        }
    }

    /// One leaf through one transform.
    private func projected(onto field: PartitionSpec.Field) -> ScanPredicate {
        let (transform, target) = (field.transform, field.fieldID)
        switch transform {
        case .void, .unknown: return .always
        case .identity: return retargeted(target)
        default: break
        }
        switch self {
        case .isNull: return .isNull(target)
        case .isNotNull: return .isNotNull(target)
        case .compare(_, let comparison, let value):
            guard let result = transform.apply(value) else { return .always }
            switch comparison {
            case .equal: return .compare(target, .equal, result)
            case .notEqual: return .always
            case .less, .lessOrEqual:
                guard transform.keepsOrder else { return .always }
                // a < v: the greatest a is the one before v, which matters at a boundary.
                let edge =
                    comparison == .less ? transform.apply(value.predecessor ?? value) : result
                return .compare(target, .lessOrEqual, edge ?? result)
            case .greater, .greaterOrEqual:
                guard transform.keepsOrder else { return .always }
                let edge =
                    comparison == .greater ? transform.apply(value.successor ?? value) : result
                return .compare(target, .greaterOrEqual, edge ?? result)
            }
        case .isIn(_, let values):
            let results = values.map { transform.apply($0) }
            guard !results.contains(nil) else { return .always }
            return .isIn(target, results.compactMap { $0 })
        case .startsWith(_, let prefix):
            guard case .truncate(let width) = transform else { return .always }
            let length = prefix.unicodeScalars.count
            if length == Int(width) { return .compare(target, .equal, .string(prefix)) }
            if length < Int(width) { return .startsWith(target, prefix) }
            guard let result = transform.apply(.string(prefix)) else { return .always }
            return .compare(target, .equal, result)
        case .notStartsWith(_, let prefix):
            guard case .truncate(let width) = transform,
                prefix.unicodeScalars.count <= Int(width)
            else { return .always }
            return .notStartsWith(target, prefix)
        default: return .always
        }
    }

    private func retargeted(_ target: Int32) -> ScanPredicate {
        switch self {
        case .compare(_, let comparison, let value): .compare(target, comparison, value)
        case .isIn(_, let values): .isIn(target, values)
        case .isNotIn(_, let values): .isNotIn(target, values)
        case .isNull: .isNull(target)
        case .isNotNull: .isNotNull(target)
        case .isNaN: .isNaN(target)
        case .isNotNaN: .isNotNaN(target)
        case .startsWith(_, let prefix): .startsWith(target, prefix)
        case .notStartsWith(_, let prefix): .notStartsWith(target, prefix)
        default: self
        }
    }
}

extension Literal {
    /// The next smaller value of a discrete type; nil where there is none.
    fileprivate var predecessor: Literal? { stepped(by: -1) }
    fileprivate var successor: Literal? { stepped(by: 1) }

    private func stepped(by step: Int64) -> Literal? {
        func wide(_ value: Int64) -> Int64? {
            let (sum, overflow) = value.addingReportingOverflow(step)
            return overflow ? nil : sum
        }
        func narrow(_ value: Int32) -> Int32? { Int32(exactly: Int64(value) + step) }
        switch self {
        case .int(let value): return narrow(value).map { .int($0) }
        case .date(let value): return narrow(value).map { .date($0) }
        case .long(let value): return wide(value).map { .long($0) }
        case .time(let value): return wide(value).map { .time($0) }
        case .timestamp(let value): return wide(value).map { .timestamp($0) }
        case .timestamptz(let value): return wide(value).map { .timestamptz($0) }
        case .timestampNanos(let value): return wide(value).map { .timestampNanos($0) }
        case .timestamptzNanos(let value): return wide(value).map { .timestamptzNanos($0) }
        case .decimal(let unscaled, let scale):
            let (sum, overflow) = unscaled.addingReportingOverflow(Int128(step))
            return overflow ? nil : .decimal(unscaled: sum, scale: scale)
        default: return nil
        }
    }
}
