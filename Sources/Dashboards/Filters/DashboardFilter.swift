/// One filter of a dashboard: what a visitor narrows the tiles by, in the address of the page.
///
///     filters:
///       - {id: region, kind: multiple, column: region, values_sql: select distinct region from t}
package struct DashboardFilter: Sendable, Hashable {
    /// How a value is chosen, and which condition it makes.
    package enum Kind: String, Sendable, CaseIterable {
        /// One of a list; `column = value`.
        case select
        /// Some of a list; `column IN (…)`.
        case multiple
        /// `2026-01-01..2026-01-31`, both days included, either side may be empty.
        case dateRange = "date-range"
        /// `10..99.5`, both ends included, either side may be empty.
        case numberRange = "number-range"
        /// Letters that the column holds, in whatever case.
        case text
    }

    /// The type of the values of `select` and `multiple`: which SQL literal they become.
    package enum ValueType: String, Sendable, CaseIterable {
        case text, number, boolean, date
    }

    /// The name in addresses; unique in its dashboard.
    package var id: String
    package var label: String
    package var kind: Kind
    package var type: ValueType
    /// The SQL expression that tiles compare, unless they name one of their own.
    package var column: String
    /// What may be chosen, when the file lists it.
    package var values: [String]
    /// A statement whose first column lists it.
    package var valuesSQL: String?

    package init(
        id: String, label: String, kind: Kind, type: ValueType = .text, column: String,
        values: [String] = [], valuesSQL: String? = nil
    ) {
        self.id = id
        self.label = label
        self.kind = kind
        self.type = type
        self.column = column
        self.values = values
        self.valuesSQL = valuesSQL
    }

    /// Names that addresses of dashboards use for other things.
    static let reservedNames: Set<String> = ["at", "since", "tile", "format"]
}
