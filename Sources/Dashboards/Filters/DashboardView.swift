/// A dashboard as one visitor looks at it: the document and what was chosen. Makes the statements of
/// tiles and the links of their marks.
package struct DashboardView: Sendable {
    package let document: DashboardDocument
    package let state: FilterState

    package init(_ document: DashboardDocument, _ state: FilterState) {
        self.document = document
        self.state = state
    }

    /// Stands in statements where the conditions of the chosen filters go.
    package static let placeholder = "${filters}"

    /// The statement of a tile. The filter that a click on the tile sets does not narrow the tile
    /// itself, so that its other marks stay to be chosen.
    package func statement(of tile: DashboardTile) throws(DashboardError) -> String {
        try filled(tile.sql, tile, except: tile.click?.filter)
    }

    /// The statement of the rows behind a tile, with every filter; nil when the tile names none.
    package func rowsStatement(of tile: DashboardTile) throws(DashboardError) -> String? {
        guard let rows = tile.rowsSQL else { return nil }
        return try filled(rows, tile, except: nil)
    }

    /// Filters with chosen values that do not reach the tile, by label.
    package func unreached(by tile: DashboardTile) -> [String] {
        document.filters.filter { filter in
            !state.values(filter.id).isEmpty && tile.click?.filter != filter.id
                && (!tile.sql.contains(Self.placeholder)
                    || tile.filterColumns[filter.id] == .some(nil))
        }.map(\.label)
    }

    /// The query of an address that shows this view, with `?`; empty for the bare view.
    package func query(_ state: FilterState? = nil) -> String {
        let pairs = (state ?? self.state).pairs(document.filters)
        guard !pairs.isEmpty else { return "" }
        return "?"
            + pairs.map { "\(percentEncoded($0.0))=\(percentEncoded($0.1))" }
            .joined(separator: "&")
    }

    /// Where a tile is drawn: marks of a tile with a click lead to the view with their value chosen.
    package func surface(of tile: DashboardTile, width: Double, path: String) -> ChartSurface {
        guard let click = tile.click,
            let filter = document.filters.first(where: { $0.id == click.filter })
        else { return ChartSurface(width: width) }
        let chosen = state.values(filter.id)
        return ChartSurface(width: width, linkColumn: click.column) { value in
            // Values of other kinds of filters are no single values.
            guard filter.kind == .select || filter.kind == .multiple else { return nil }
            let text: String? = value.isNull ? nil : value.text
            let isChosen = chosen.contains(text)
            return MarkLink(
                href: path + query(state.toggling(text, of: filter)),
                state: isChosen ? .chosen : chosen.isEmpty ? .plain : .dimmed)
        }
    }

    private func filled(
        _ sql: String, _ tile: DashboardTile, except: String?
    ) throws(DashboardError) -> String {
        guard sql.contains(Self.placeholder) else { return sql }
        var conditions: [String] = []
        for filter in document.filters where filter.id != except {
            let values = state.values(filter.id)
            let named = tile.filterColumns[filter.id]
            guard !values.isEmpty, named != .some(nil) else { continue }
            let column = (named ?? nil) ?? filter.column
            conditions.append(try FilterCondition(filter, values).sql(over: column))
        }
        return sql.replacing(
            Self.placeholder,
            with: conditions.isEmpty ? "TRUE" : "(" + conditions.joined(separator: " AND ") + ")")
    }
}

/// Letters, digits and `-._~` stay, all other bytes become `%XX` (RFC 3986, section 2).
private func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    var result = ""
    for byte in text.utf8 {
        let isPlain =
            (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10
            || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
        if isPlain {
            result.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            result += "%" + String(digits[Int(byte >> 4)]) + String(digits[Int(byte & 15)])
        }
    }
    return result
}
