/// Shares of a whole as a ring, largest part first.
///
/// The label is `x` (or the first column), the value `y` (or the first numeric other column). Beyond
/// `limit` (at most 8) parts the rest is one part, "other". Values below zero and NULL have no share:
/// they are left out, and the description says so.
func drawPie(
    _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface
) -> ChartContent {
    guard !data.rows.isEmpty, !data.columns.isEmpty else { return .nothing("No rows.") }
    guard let label = options.x.map({ data.index(of: $0) }) ?? 0 else {
        return .nothing("There is no column \(options.x ?? "").")
    }
    guard
        let column = options.y.first.map({ data.index(of: $0) })
            ?? data.firstNumericColumn(except: data.columns.count > 1 ? [label] : [])
    else { return .nothing("There is no column of numbers.") }
    var slices: [(row: Int?, name: String, value: Double)] = []
    for row in data.rows.indices {
        guard let value = data.value(row, column).number, value > 0 else { continue }
        slices.append((row, labelText(data.value(row, label)), value))
    }
    let leftOut = data.rows.count - slices.count
    guard !slices.isEmpty else { return .nothing("No value above zero.") }
    slices.sort { ($1.value, $0.row ?? 0) < ($0.value, $1.row ?? 0) }
    let limit = min(options.limit ?? DashboardLimits.slices, DashboardLimits.slices)
    if slices.count > limit {
        let rest = slices[(limit - 1)...].reduce(0) { $0 + $1.value }
        let count = slices.count - limit + 1
        slices = Array(slices.prefix(limit - 1)) + [(nil, "other (\(count))", rest)]
    }
    // Shares of the largest keep huge values from running over.
    let whole = slices.map(\.value).max() ?? 1
    let total = slices.reduce(0) { $0 + $1.value / whole }

    let width = surface.width
    let radius = min(width * 0.24, 90)
    let center = (x: radius + 8, y: max(radius + 8, Double(slices.count) * 11 + 4))
    var body = Markup()
    var turn = 0.0
    let legendLeft = center.x + radius + 18
    let letters = max(6, Int((width - legendLeft - 75) / letterWidth))
    for (index, slice) in slices.enumerated() {
        let share = slice.value / whole / total
        let text =
            "\(numberText(share, .percent)) (\(options.text(.number(slice.value))))"
        let shape = ring(
            center, radius, from: turn, to: slices.count == 1 ? 1 : min(turn + share, 1))
        let y = center.y + (Double(index) - Double(slices.count - 1) / 2) * 22
        let mark: Markup = """
            <g class="series-\(index)"><title>\(shortened(slice.name, to: 60)): \(text)</title>\
            <path class="slice" d="\(shape)"/>\
            <rect class="key" x="\(at: legendLeft)" y="\(at: y - 5)" width="10" height="10" rx="2"/>\
            <text class="label" x="\(at: legendLeft + 16)" y="\(at: y + 4)">\
            \(shortened(slice.name, to: letters))</text>\
            <text class="value" x="\(at: width - 4)" y="\(at: y + 4)" text-anchor="end">\
            \(numberText(share, .percent))</text></g>
            """
        body += slice.row.map { surface.mark(data, $0, mark) } ?? mark
        turn += share
    }
    var description =
        "Shares of \(data.columns[column].name) by \(data.columns[label].name), "
        + "\(counted(slices.count, "part"))."
    if leftOut > 0 { description += " \(counted(leftOut, "row")) without a share." }
    return .drawing(height: center.y * 2, description: description, body)
}

/// A piece of a ring between two turns (0 is up, clockwise), as an SVG path.
private func ring(
    _ center: (x: Double, y: Double), _ radius: Double, from start: Double, to end: Double
) -> String {
    let inner = radius * 0.58
    func at(_ turn: Double, _ radius: Double) -> String {
        let (x, y) = circlePoint(turn)
        return coordinate(center.x + x * radius) + " " + coordinate(center.y - y * radius)
    }
    let r = coordinate(radius)
    let i = coordinate(inner)
    // A full circle has no arc of its own: two halves.
    if end - start > 0.9999 {
        return "M\(at(0, radius))A\(r) \(r) 0 1 1 \(at(0.5, radius))A\(r) \(r) 0 1 1 "
            + "\(at(0, radius))ZM\(at(0, inner))A\(i) \(i) 0 1 0 \(at(0.5, inner))A\(i) \(i) 0 1 0 "
            + "\(at(0, inner))Z"
    }
    let large = end - start > 0.5 ? 1 : 0
    return "M\(at(start, radius))A\(r) \(r) 0 \(large) 1 \(at(end, radius))L\(at(end, inner))"
        + "A\(i) \(i) 0 \(large) 0 \(at(start, inner))Z"
}

/// Sine and cosine of a share of a turn, by their series: the same digits on every machine.
func circlePoint(_ turn: Double) -> (x: Double, y: Double) {
    // Into (-0.5, 0.5], where the series of 24 terms is exact to the last places of a double.
    var share = turn - turn.rounded(.down)
    if share > 0.5 { share -= 1 }
    let angle = share * 2 * Double.pi
    var sine = 0.0
    var cosine = 0.0
    var term = 1.0
    for power in 0..<24 {
        switch power % 4 {
        case 0: cosine += term
        case 1: sine += term
        case 2: cosine -= term
        default: sine -= term
        }
        term *= angle / Double(power + 1)
    }
    return (sine, cosine)
}
