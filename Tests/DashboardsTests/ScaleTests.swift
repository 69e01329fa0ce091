import Testing

@testable import Dashboards

@Suite struct ScaleTests {
    @Test(
        "Steps are round",
        arguments: [
            (0.0, 1.0), (1, 1), (1.1, 2), (2.1, 2.5), (3, 5), (7, 10), (0.03, 0.05), (26, 50),
            (1e300, 1e300),
        ])
    func steps(rough: Double, step: Double) {
        #expect((niceStep(rough) - step).magnitude <= step * 1e-9)
    }

    @Test("Ticks take in all values")
    func ticks() {
        let scale = LinearScale([3, 47], includesZero: true, from: 0, to: 100, tickCount: 5)
        #expect(scale.ticks == [0, 10, 20, 30, 40, 50])
        #expect(scale(0) == 0 && scale(50) == 100 && scale(25) == 50)
        #expect(
            scale.ticks.map { scale.label($0, .number) } == ["0", "10", "20", "30", "40", "50"])
    }

    @Test(
        "Labels have the decimals that their step needs",
        arguments: [
            (
                [0.0, 0.07], NumberFormat.percent,
                ["0\u{A0}%", "2\u{A0}%", "4\u{A0}%", "6\u{A0}%", "8\u{A0}%"]
            ),
            ([0, 0.9], .number, ["0.00", "0.25", "0.50", "0.75", "1.00"]),
            ([0, 25_000], .number, ["0", "10k", "20k", "30k"]),
        ] as [([Double], NumberFormat, [String])])
    func labels(values: [Double], format: NumberFormat, expected: [String]) {
        let scale = LinearScale(values, includesZero: true, from: 0, to: 100, tickCount: 4)
        #expect(scale.ticks.map { scale.label($0, format) } == expected)
    }

    @Test(
        "Time ticks stand at beginnings",
        arguments: [
            // 2026-11-01 to 2026-11-21
            (1_793_491_200.0, 1_795_219_200.0, 5, ["2 Nov", "9 Nov", "16 Nov"]),
            // Two hours
            (1_793_491_200, 1_793_498_400, 4, ["1 Nov", "00:30", "01:00", "01:30", "02:00"]),
            // Two years
            (1_735_689_600, 1_798_675_200, 4, ["Jan 2025", "Jul 2025", "Jan 2026", "Jul 2026"]),
            (5, 4, 3, []), (-.infinity, 1, 3, []),
        ] as [(Double, Double, Int, [String])])
    func time(lower: Double, upper: Double, count: Int, expected: [String]) {
        #expect(TimeTicks(from: lower, to: upper, count: count).ticks.map(\.label) == expected)
    }

    @Test(
        "Numbers read well",
        arguments: [
            (1_234_567.0, NumberFormat.number, nil, "1,234,567"), (-1234.5, .number, 1, "-1,234.5"),
            (0.0312, .percent, nil, "3.1\u{A0}%"), (999_950, .compact, nil, "1M"),
            (1_250_000, .compact, nil, "1.3M"), (12_300_000_000, .compact, nil, "12.3G"),
            (999, .compact, nil, "999"), (0.25, .number, nil, "0.250"),
            (-0.001, .number, 2, "0.00"),
            (.nan, .number, nil, "NaN"), (-.infinity, .compact, nil, "-Infinity"),
            (1e300, .number, nil, "1e+300"),
        ] as [(Double, NumberFormat, Int?, String)])
    func numbers(value: Double, format: NumberFormat, decimals: Int?, text: String) {
        #expect(numberText(value, format, decimals: decimals) == text)
    }

    @Test("Sizes, spans and digits read well")
    func others() {
        #expect(byteText(1536) == "1.5\u{A0}KiB")
        #expect(byteText(0) == "0\u{A0}B")
        #expect(durationText(milliseconds: 125_000) == "2\u{A0}min 5\u{A0}s")
        #expect(groupedDigits("-123456789012345678901.50") == "-123,456,789,012,345,678,901.50")
        #expect(groupedDigits("1E5") == "1E5")
        #expect(counted(1, "row") == "1 row" && counted(1200, "row") == "1,200 rows")
    }

    @Test("Coordinates are short and finite")
    func coordinates() {
        #expect(coordinate(12.34) == "12.3")
        #expect(coordinate(-0.04) == "0")
        #expect(coordinate(-3.5) == "-3.5")
        #expect(coordinate(.nan) == "0")
        #expect(coordinate(1e30) == "1000000")
    }
}
