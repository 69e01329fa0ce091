import Diagnostics

/// A document that cannot be used.
package struct DashboardError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        /// Not YAML, or not the keys and types that a dashboard has.
        case invalidDocument = "dashboard.invalid_document"
        case unknownKind = "dashboard.unknown_kind"
        case unknownOption = "dashboard.unknown_option"
        case duplicateName = "dashboard.duplicate_name"
        case limitExceeded = "dashboard.limit_exceeded"
        /// A value in an address that its filter cannot take.
        case invalidFilter = "dashboard.invalid_filter"
    }

    package let code: Code
    /// Begins with `file:line:column: `.
    package let message: String
    package let hint: String?
    package let cause: (any Error)?

    package init(code: Code, message: String, hint: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }
}

/// What one dashboard may ask for.
package enum DashboardLimits {
    package static let tiles = 40
    package static let watchedTables = 100
    /// Rows that a tile's statement may give to its chart.
    package static let tileRows = 2_000
    /// Rows of the table beside a chart.
    static let alternativeRows = 200
    static let bars = 30
    static let slices = 8
    static let pivotColumns = 40
    /// Points of a scatter chart.
    static let points = 2_000
    static let filters = 12
    /// Values of one filter in an address, and bytes of one value.
    static let filterValues = 50
    static let filterBytes = 400
    /// Values that a filter offers.
    package static let offeredValues = 500
    static let series = 8
    static let heatmapSide = 60
    static let labelCharacters = 200
}
