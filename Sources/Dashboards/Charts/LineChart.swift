/// Lines over dates, numbers or categories.
///
/// `x` (or the first column) is the axis. Lines are the columns of `y`, or one line a value of
/// `series`. A NULL makes a gap, a point without neighbours is a dot. Points are ordered by x where
/// that is a date or a number. At most 8 lines are drawn; the description tells of the others.
func drawLines(
    _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface
) -> ChartContent {
    drawPlot(data, options, surface, .none)
}

/// Lines with what is below them filled. Several areas stand on each other, where a missing value
/// counts as zero, unless `stacked` is false.
func drawAreas(
    _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface
) -> ChartContent {
    drawPlot(data, options, surface, options.isStacked ? .stacked : .toZero)
}

private func drawPlot(
    _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface, _ fill: LinePlot.Fill
) -> ChartContent {
    guard !data.rows.isEmpty, !data.columns.isEmpty else { return .nothing("No rows.") }
    guard let x = options.x.map({ data.index(of: $0) }) ?? 0 else {
        return .nothing("There is no column \(options.x ?? "").")
    }
    guard var plot = LinePlot(data, options, x: x) else {
        return .nothing("There is no column of numbers.")
    }
    guard plot.lines.contains(where: { $0.points.contains { $0.y != nil } }) else {
        return .nothing("All values are NULL.")
    }
    plot.fill = fill
    if fill == .stacked, plot.lines.count > 1 { plot.stack() }
    return plot.draw(data, options, surface)
}

/// The lines of a chart, with places on the x axis worked out.
private struct LinePlot {
    struct Point {
        var x: Double
        var y: Double?
        var label: String
        var text: String
        /// The row that it comes from.
        var row: Int
        /// Where its area begins.
        var base = 0.0
    }
    enum Fill { case none, toZero, stacked }
    struct Line {
        var name: String
        var points: [Point]
    }
    enum Axis { case time, number, categories([String]) }

    var lines: [Line] = []
    let axis: Axis
    let xName: String
    let yName: String
    var hiddenCount = 0
    var fill = Fill.none

    init?(_ data: ChartData, _ options: ChartOptions, x: Int) {
        let rows = data.rows.indices.prefix(DashboardLimits.tileRows)
        let known = rows.map { data.value($0, x) }
        let filled = known.filter { !$0.isNull }
        xName = data.columns[x].name
        var categories: [String: Int] = [:]
        var names: [String] = []
        if !filled.isEmpty, filled.allSatisfy({ $0.seconds != nil }) {
            axis = .time
        } else if !filled.isEmpty, data.columns[x].isNumeric,
            filled.allSatisfy({ $0.number != nil })
        {
            axis = .number
        } else {
            for value in known where categories[labelText(value)] == nil {
                categories[labelText(value)] = names.count
                names.append(labelText(value))
            }
            axis = .categories(names)
        }
        let isTime = if case .time = axis { true } else { false }
        let isCategorical = !categories.isEmpty
        func place(_ row: Int) -> Double? {
            let value = known[row]
            if isCategorical { return categories[labelText(value)].map(Double.init) }
            return isTime ? value.seconds : value.number
        }
        func point(_ row: Int, _ column: Int) -> Point? {
            guard let place = place(row) else { return nil }
            let value = data.value(row, column)
            return Point(
                x: place, y: value.number, label: labelText(known[row]), text: options.text(value),
                row: row)
        }

        if let seriesName = options.series {
            guard let series = data.index(of: seriesName),
                let y = options.y.first.map({ data.index(of: $0) })
                    ?? data.firstNumericColumn(except: [x, series])
            else { return nil }
            yName = data.columns[y].name
            var places: [String: Int] = [:]
            for row in rows {
                let name = labelText(data.value(row, series))
                guard let point = point(row, y) else { continue }
                if let line = places[name] {
                    lines[line].points.append(point)
                } else {
                    places[name] = lines.count
                    lines.append(Line(name: name, points: [point]))
                }
            }
        } else {
            var columns = options.y.compactMap { data.index(of: $0) }
            if columns.isEmpty {
                guard
                    let column = data.firstNumericColumn(
                        except: data.columns.count > 1 ? [x] : [])
                else { return nil }
                columns = [column]
            }
            yName = columns.map { data.columns[$0].name }.joined(separator: ", ")
            for column in columns {
                lines.append(
                    Line(
                        name: data.columns[column].name,
                        points: rows.compactMap { point($0, column) }))
            }
        }
        hiddenCount = max(0, lines.count - DashboardLimits.series)
        lines = Array(lines.prefix(DashboardLimits.series))
        if !isCategorical {
            for index in lines.indices {
                // Sorting is by place, then by the order of the rows.
                lines[index].points = lines[index].points.enumerated()
                    .sorted { ($0.element.x, $0.offset) < ($1.element.x, $1.offset) }
                    .map(\.element)
            }
        }
    }

    /// Puts each line on the one before it, over the x values of all of them.
    mutating func stack() {
        var known: [Double: Point] = [:]
        for point in lines.flatMap(\.points) where known[point.x] == nil { known[point.x] = point }
        let places = known.keys.sorted()
        var sums = [Double](repeating: 0, count: places.count)
        for index in lines.indices {
            // The last of two points at one place wins.
            let own = Dictionary(lines[index].points.map { ($0.x, $0) }) { $1 }
            lines[index].points = places.indices.map { at in
                var point =
                    own[places[at]]
                    ?? Point(
                        x: places[at], y: 0, label: known[places[at]]?.label ?? "", text: "–",
                        row: -1)
                point.base = sums[at]
                sums[at] += point.y ?? 0
                point.y = sums[at]
                return point
            }
        }
    }

    func draw(
        _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface
    ) -> ChartContent {
        let width = surface.width
        let values = lines.flatMap { $0.points.compactMap(\.y) }
        let lowest = values.min() ?? 0
        let highest = values.max() ?? 1
        // Zero is left out only where it would press the line into a corner.
        let includesZero =
            fill != .none || (options.startsAtZero ?? !(lowest > 0 && lowest > highest * 0.6))
        let plotHeight = width < 420 ? 180.0 : 220.0
        let top = 10.0
        let y = LinearScale(
            values + (options.threshold.map { [$0] } ?? []), includesZero: includesZero,
            from: top + plotHeight, to: top, tickCount: 5)
        let tickTexts = y.ticks.map { y.label($0, options.format) }
        let left = Double(tickTexts.map(\.count).max() ?? 1) * letterWidth + 12
        let right = width - 14
        var body = Markup()
        for (tick, text) in zip(y.ticks, tickTexts) {
            body += """
                <line class="\(tick == 0 ? "axis" : "grid")" x1="\(at: left)" y1="\(at: y(tick))" \
                x2="\(at: right)" y2="\(at: y(tick))"/>\
                <text class="tick" x="\(at: left - 6)" y="\(at: y(tick) + 4)" \
                text-anchor="end">\(text)</text>
                """
        }
        let (place, labels) = horizontal(from: left, to: right)
        for (at, text) in labels {
            let anchor: Markup = at > right - 24 ? "end" : at < left + 24 ? "start" : "middle"
            body += """
                <text class="tick" x="\(at: at)" y="\(at: top + plotHeight + 18)" \
                text-anchor="\(anchor)">\(text)</text>
                """
        }
        if let threshold = options.threshold {
            body += """
                <line class="threshold" x1="\(at: left)" y1="\(at: y(threshold))" \
                x2="\(at: right)" y2="\(at: y(threshold))"/>
                """
        }
        if fill != .none {
            for (index, line) in lines.enumerated() { body += area(line, index, place, y) }
        }
        for (index, line) in lines.enumerated() {
            body += draw(line, index, place, y) { surface.mark(data, $0, $1) }
        }
        var height = top + plotHeight + 28
        if lines.count > 1 {
            body += legend(lines.map(\.name), from: left, to: right, y: &height)
        }
        var description =
            "\(fill == .none ? "Lines" : "Areas"): \(yName) by \(xName), \(counted(lines.count, "line")), "
            + "\(counted(values.count, "value")) from \(options.text(.number(lowest))) "
            + "to \(options.text(.number(highest)))."
        if hiddenCount > 0 { description += " \(counted(hiddenCount, "line")) not drawn." }
        return .drawing(height: height, description: description, body)
    }

    /// Places and labels of the x axis.
    private func horizontal(
        from left: Double, to right: Double
    ) -> (place: (Double) -> Double, labels: [(Double, String)]) {
        let places = lines.flatMap { $0.points.map(\.x) }
        let lower = places.min() ?? 0
        let upper = places.max() ?? 0
        func even(_ x: Double) -> Double {
            upper > lower
                ? left + 6 + (x - lower) / (upper - lower) * (right - left - 12)
                : (left + right) / 2
        }
        let room = right - left
        switch axis {
        case .time:
            if upper == lower {
                let label = lines.first { !$0.points.isEmpty }?.points.first?.label ?? ""
                return (even, [(even(lower), label)])
            }
            let ticks = TimeTicks(from: lower, to: upper, count: max(2, Int(room / 76))).ticks
            return (even, ticks.map { (even($0.seconds), $0.label) })
        case .number:
            let scale = LinearScale(
                places, includesZero: false, from: left + 6, to: right - 6,
                tickCount: max(2, Int(room / 70)))
            return ({ scale($0) }, scale.ticks.map { (scale($0), scale.label($0, .number)) })
        case .categories(let names):
            // As many labels as fit side by side, evenly thinned.
            let longest = Double(min(names.map(\.count).max() ?? 1, 14)) * letterWidth + 10
            let every = max(
                1, Int((Double(names.count) * longest / max(room, 1)).rounded(.up)))
            let labels = names.indices.filter { $0 % every == 0 }.map {
                (even(Double($0)), shortened(names[$0], to: 14))
            }
            return (even, labels)
        }
    }

    /// What is between a line and its base, run by run.
    private func area(
        _ line: Line, _ index: Int, _ place: (Double) -> Double, _ y: LinearScale
    ) -> Markup {
        var path = ""
        var run: [Point] = []
        func close() {
            guard run.count > 1 else { return run.removeAll() }
            let tops = run.map { "\(coordinate(place($0.x))) \(coordinate(y($0.y ?? 0)))" }
            let bases = run.reversed().map {
                "\(coordinate(place($0.x))) \(coordinate(y($0.base)))"
            }
            path += "M" + (tops + bases).joined(separator: "L") + "Z"
            run.removeAll()
        }
        for point in line.points {
            if point.y == nil { close() } else { run.append(point) }
        }
        close()
        return "<path class=\"area series-\(index % DashboardLimits.series)\" d=\"\(path)\"/>"
    }

    private func draw(
        _ line: Line, _ index: Int, _ place: (Double) -> Double, _ y: LinearScale,
        mark: (_ row: Int, Markup) -> Markup
    ) -> Markup {
        var path = ""
        var dots = Markup()
        let hasDots = line.points.count <= 62
        for (at, point) in line.points.enumerated() {
            guard let value = point.y else { continue }
            let isStart = at == 0 || line.points[at - 1].y == nil
            let isAlone =
                isStart && (at + 1 >= line.points.count || line.points[at + 1].y == nil)
            path +=
                (isStart ? "M" : "L") + coordinate(place(point.x)) + " " + coordinate(y(value))
            guard hasDots || isAlone else { continue }
            let name = lines.count > 1 ? shortened(line.name, to: 60) + ", " : ""
            dots += mark(
                point.row,
                """
                <circle class="dot" cx="\(at: place(point.x))" cy="\(at: y(value))" \
                r="\(isAlone ? "3.5" : "2.5")"><title>\
                \(name)\(shortened(point.label, to: 60)): \(point.text)</title></circle>
                """)
        }
        return """
            <g class="series-\(index % DashboardLimits.series)">\
            <path class="line" d="\(path)"/>\(dots)</g>
            """
    }
}
