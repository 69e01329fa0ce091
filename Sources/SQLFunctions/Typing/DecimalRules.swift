package import Vectors

/// Result types of decimal arithmetic. Source: Trino documentation, "Decimal functions and operators".
package enum DecimalRules {
    package static let maxPrecision = 38

    /// The type of `left + right` and `left - right`.
    package static func sum(
        _ left: (precision: Int, scale: Int), _ right: (precision: Int, scale: Int)
    ) -> LogicalType {
        let scale = max(left.scale, right.scale)
        let whole = max(left.precision - left.scale, right.precision - right.scale)
        return .decimal(precision: min(maxPrecision, whole + scale + 1), scale: scale)
    }

    /// The type of `left * right`; nil when the scale leaves 38 digits.
    package static func product(
        _ left: (precision: Int, scale: Int), _ right: (precision: Int, scale: Int)
    ) -> LogicalType? {
        let scale = left.scale + right.scale
        guard scale <= maxPrecision else { return nil }
        return .decimal(
            precision: min(maxPrecision, left.precision + right.precision), scale: scale)
    }

    /// The type of `left / right`, which rounds half up at the result's scale.
    package static func quotient(
        _ left: (precision: Int, scale: Int), _ right: (precision: Int, scale: Int)
    ) -> LogicalType {
        let scale = max(left.scale, right.scale)
        let precision = left.precision + right.scale + max(0, right.scale - left.scale)
        return .decimal(precision: max(scale, min(maxPrecision, precision)), scale: scale)
    }

    /// The type of `left % right`.
    package static func remainder(
        _ left: (precision: Int, scale: Int), _ right: (precision: Int, scale: Int)
    ) -> LogicalType {
        let scale = max(left.scale, right.scale)
        let whole = min(left.precision - left.scale, right.precision - right.scale)
        return .decimal(precision: min(maxPrecision, max(1, whole + scale)), scale: scale)
    }

    /// The smallest decimal that holds both; whole digits give way to the limit of 38.
    package static func union(
        _ left: (precision: Int, scale: Int), _ right: (precision: Int, scale: Int)
    ) -> LogicalType {
        let scale = max(left.scale, right.scale)
        let whole = max(left.precision - left.scale, right.precision - right.scale)
        return .decimal(precision: min(maxPrecision, whole + scale), scale: scale)
    }
}

extension LogicalType {
    /// Precision and scale as which the type takes part in decimal arithmetic: decimals and integers.
    package var asDecimal: (precision: Int, scale: Int)? {
        switch self {
        case .tinyint: (3, 0)
        case .smallint: (5, 0)
        case .integer: (10, 0)
        case .bigint: (19, 0)
        case .decimal(let precision, let scale): (precision, scale)
        default: nil
        }
    }
}
