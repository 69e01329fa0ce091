// Dashboards: documents that say what to show, and pure functions that draw it.
//
//     fraud-overview.yml ─▶ DashboardDocument.parse ─▶ DashboardLibrary
//                                                          │ tile: kind, title, sql, options
//     QueryRunner (the engine, by Appliance) ─▶ ChartData ─┤
//                                                          └▶ TileView ─▶ Markup (HTML, SVG)
//
// A document is data: adding a dashboard is adding a file. A chart kind is a pure function from
// `ChartData` and options to SVG; the list is `chartKinds`. The functions never fail: empty,
// all-NULL, one-point and hostile inputs give a drawing or a sentence. Each tile carries its data
// as a table, so that nothing is told by the picture alone.
//
// Colours are classes (`series-0`, `bar over`), which `web/charts.css` gives a light and a dark
// value: the Content-Security-Policy forbids inline styles. Every chart is drawn twice, wide and
// narrow, and the style sheet shows one, so that text stays readable on a phone without a script.
//
// `Markup` is what keeps data from becoming HTML: only literals in our source are trusted,
// everything interpolated is escaped. ConsoleAPI writes its pages with it too.
