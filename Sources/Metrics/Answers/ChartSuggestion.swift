/// Chooses a chart for a frame. A pure function of what was asked, so that the same question always
/// looks the same.
enum ChartSuggestion {
    static func chart(_ frame: Frame, _ model: MetricModel) -> AskAnswer.Chart {
        let metric = frame.metrics.first.flatMap(model.metric)
        let names = frame.breakdowns.map(\.column)
        var chart = AskAnswer.Chart(
            kind: "table", x: names.first, y: frame.metrics, series: nil, compare: nil,
            format: (metric?.format ?? .number).rawValue)
        let parts = frame.breakdowns.filter { if case .part = $0 { true } else { false } }
        let series = frame.breakdowns.filter { if case .series = $0 { true } else { false } }
        switch frame.breakdowns.count {
        case 0 where frame.metrics.count == 1:
            chart.kind = "number"
            chart.compare = frame.comparison == nil ? nil : frame.metrics[0] + "_before"
        case 0: chart.kind = "table"
        case 1:
            chart.kind = series.isEmpty ? "bar" : "line"
            if series.isEmpty
                || Set(frame.metrics.compactMap { model.metric($0)?.format }).count > 1
            {
                chart.y = Array(frame.metrics.prefix(1))
            }
        case 2 where parts.count == 2:
            chart.kind = "heatmap"
            chart.x = parts[0].column
            chart.series = parts[1].column
            chart.y = Array(frame.metrics.prefix(1))
        case 2 where series.count == 1:
            chart.kind = "line"
            chart.x = series[0].column
            chart.series = names.first { $0 != series[0].column }
            chart.y = Array(frame.metrics.prefix(1))
        default: chart.kind = "table"
        }
        return chart
    }
}
