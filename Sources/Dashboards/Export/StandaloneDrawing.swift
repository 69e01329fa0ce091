extension TileView {
    /// The chart of a tile as an SVG file of its own, with the light colours inside; nil when there is
    /// nothing to draw or the kind is no drawing.
    package static func standalone(_ tile: DashboardTile, _ data: ChartData) -> String? {
        guard let kind = chartKinds[tile.kind],
            case .drawing(let height, let description, let body) = kind.draw(
                data, tile.options, ChartSurface(width: wideWidth(tile)))
        else { return nil }
        let width = wideWidth(tile)
        let colours = [
            "#1f5fbf", "#c4560a", "#0b8a6a", "#a0408e", "#8a6d00", "#2b93c9", "#5b5b5b", "#b3261e",
        ]
        let shades = [
            "#e9f0fa", "#cbdcf3", "#a5c3ea", "#7aa6de", "#4d86cf", "#2a67b8", "#154a92",
        ]
        var style = """
            text{font:12px system-ui,sans-serif;fill:#1b2430}.tick{fill:#566373;font-size:11.5px}\
            .grid{stroke:#dde2e9}.axis{stroke:#c3cbd6}.bar{fill:#1f5fbf}.over{fill:#c4560a}\
            .threshold{stroke:#c4560a;stroke-width:1.5;stroke-dasharray:4 3}\
            .line{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}\
            .dot,.key,.slice,.part,.point{fill:currentColor}.part.over{fill:#c4560a}\
            .area{fill:currentColor;opacity:.35}.point{opacity:.75}
            """
        for (index, colour) in colours.enumerated() {
            style += ".series-\(index){color:\(colour)}"
        }
        for (index, shade) in shades.enumerated() { style += ".shade-\(index){fill:\(shade)}" }
        let markup: Markup = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(at: width) \(at: height + 28)" \
            width="\(at: width)" height="\(at: height + 28)" role="img">
            <title>\(tile.title)</title><desc>\(description)</desc>
            <style>\(Markup(trusted: style))</style>
            <rect width="100%" height="100%" fill="#ffffff"/>
            <text x="0" y="16" font-weight="600">\(tile.title)</text>
            <g transform="translate(0 28)">\(body)</g>
            </svg>

            """
        return markup.text
    }
}
