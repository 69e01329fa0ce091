/// Writes tiles: heading, chart, the data as a table. Pure.
package enum TileView {
    /// What a tile has to show.
    package enum Result: Sendable {
        case answer(QueryAnswer)
        case fault(message: String, hint: String?)
        /// The table is not there yet.
        case absent(message: String)
    }

    /// The inside of a tile: what is replaced when its tables or the chosen filters change.
    ///
    /// `path` is the address of the dashboard, on which links are built; `feed` stands below a tile that
    /// has nothing to show and tells where its rows would come from.
    package static func content(
        _ tile: DashboardTile, _ result: Result, _ view: DashboardView, path: String,
        feed: Markup = Markup()
    ) -> Markup {
        if tile.kind == "markdown" { return markdown(tile.text) }
        switch result {
        case .fault(let message, let hint):
            return """
                <p class="fault" role="alert">\(message)</p>
                \(hint.map { "<p class=\"hint\">\($0)</p>" as Markup })
                """
        case .absent(let message): return "<p class=\"empty\">\(message)</p>\n\(feed)"
        case .answer(let answer):
            return figure(tile, answer.data, view, path, feed) + foot(tile, answer, view, path)
        }
    }

    /// A chart that stands by itself: without a foot, since no address has its rows or files.
    package static func chart(
        _ tile: DashboardTile, _ data: ChartData, _ view: DashboardView, path: String
    ) -> Markup {
        figure(tile, data, view, path, Markup())
    }

    /// A whole tile.
    package static func section(
        _ tile: DashboardTile, _ result: Result, _ view: DashboardView, path: String,
        feed: Markup = Markup()
    ) -> Markup {
        """
        <section class="tile \(tile.width.rawValue) kind-\(tile.kind)" \
        data-tile="\(tile.id)" aria-labelledby="tile-\(tile.id)">
        <h2 id="tile-\(tile.id)">\(tile.title)</h2>
        \(tile.description.isEmpty ? Markup() : "<p class=\"note\">\(tile.description)</p>\n")\
        <div class="content">
        \(content(tile, result, view, path: path, feed: feed))
        </div>
        </section>

        """
    }

    private static func figure(
        _ tile: DashboardTile, _ data: ChartData, _ view: DashboardView, _ path: String,
        _ feed: Markup
    ) -> Markup {
        guard let kind = chartKinds[tile.kind] else {
            return "<p class=\"fault\">unknown kind of chart: \(tile.kind)</p>"
        }
        let wideWidth = wideWidth(tile)
        switch kind.draw(
            data, tile.options, view.surface(of: tile, width: wideWidth, path: path))
        {
        case .nothing(let reason): return "<p class=\"empty\">\(reason)</p>\n\(feed)"
        case .markup(let markup): return markup
        case .drawing(let height, let description, let body):
            var figure: Markup = "<figure>"
            figure += svg(
                tile, "wide", width: wideWidth, height: height, description: description, body)
            if case .drawing(let height, let description, let body) = kind.draw(
                data, tile.options, view.surface(of: tile, width: 340, path: path))
            {
                figure += svg(
                    tile, "narrow", width: 340, height: height, description: description, body)
            }
            return figure + """
                </figure>
                <details class="alternative"><summary>Data, \(counted(data.rows.count, "row"))\
                \(data.isTruncated ? " and more" : "")</summary>
                \(dataTable(data, limit: DashboardLimits.alternativeRows, label: tile.title))
                </details>
                """
        }
    }

    static func wideWidth(_ tile: DashboardTile) -> Double {
        switch tile.width {
        case .quarter: 300
        case .third: 380
        case .half: 560
        case .twoThirds: 760
        case .full: 1140
        }
    }

    /// One drawing with its text alternative.
    static func svg(
        _ tile: DashboardTile, _ variant: String, width: Double, height: Double,
        description: String, _ body: Markup
    ) -> Markup {
        """
        <svg class="chart \(variant)" viewBox="0 0 \(at: width) \(at: height)" role="img" \
        aria-labelledby="\(tile.id)-\(variant)-title \(tile.id)-\(variant)-desc">\
        <title id="\(tile.id)-\(variant)-title">\(tile.title)</title>\
        <desc id="\(tile.id)-\(variant)-desc">\(description)</desc>
        \(body)
        </svg>
        """
    }

    private static func foot(
        _ tile: DashboardTile, _ answer: QueryAnswer, _ view: DashboardView, _ path: String
    ) -> Markup {
        var parts: [Markup] = []
        if !answer.queryID.isEmpty {
            parts.append(
                """
                <a href="/ui/query.html?\(answer.queryID)">\(counted(answer.data.rows.count, "row")), \
                \(durationText(milliseconds: answer.elapsedMilliseconds))</a>
                """)
        }
        let place = "\(path)/tiles/\(tile.id)"
        if tile.rowsSQL != nil {
            parts.append("<a href=\"\(place)/rows\(view.query())\">Rows</a>")
        }
        parts.append("<a href=\"\(place)/csv\(view.query())\" download=\"\">CSV</a>")
        if !["number", "table", "pivot"].contains(tile.kind) {
            parts.append("<a href=\"\(place)/svg\(view.query())\" download=\"\">SVG</a>")
        }
        let unreached = view.unreached(by: tile)
        if !unreached.isEmpty {
            parts.append("not narrowed by \(unreached.joined(separator: ", "))")
        }
        return "\n<p class=\"foot\">\(parts.joined(separator: " · "))</p>"
    }
}
