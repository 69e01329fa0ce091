/// Where a chart is drawn: how wide, and where a click on one of its marks leads.
package struct ChartSurface: Sendable {
    /// CSS pixels.
    package var width: Double
    /// The column of the result whose value a mark stands for.
    var linkColumn: String?
    private var link: (@Sendable (ChartValue) -> MarkLink?)?

    /// A surface whose marks lead nowhere.
    package init(width: Double) { self.width = width }

    /// A surface whose marks lead where `link` says for their value in `linkColumn`.
    package init(
        width: Double, linkColumn: String, link: @escaping @Sendable (ChartValue) -> MarkLink?
    ) {
        self.width = width
        self.linkColumn = linkColumn
        self.link = link
    }

    /// The mark of a row, as a link where it leads somewhere.
    func mark(_ data: ChartData, _ row: Int, _ markup: Markup) -> Markup {
        guard let linkColumn, let link, let column = data.index(of: linkColumn),
            let found = link(data.value(row, column))
        else { return markup }
        let kind: Markup =
            switch found.state {
            case .plain: "mark"
            case .chosen: "mark chosen"
            case .dimmed: "mark dimmed"
            }
        let pressed: Markup = found.state == .chosen ? " aria-current=\"true\"" : ""
        return "<a class=\"\(kind)\" href=\"\(found.href)\"\(pressed)>\(markup)</a>"
    }
}

/// Where a mark leads, and whether its value is chosen now.
package struct MarkLink: Sendable {
    package enum State: Sendable { case plain, chosen, dimmed }
    package var href: String
    package var state: State

    package init(href: String, state: State = .plain) {
        self.href = href
        self.state = state
    }
}
