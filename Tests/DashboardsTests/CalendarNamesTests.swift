import Testing

@testable import Dashboards

@Suite struct CalendarNamesTests {
    @Test("Weekdays and months stand in their own order, whichever comes first")
    func calendarNames() {
        func labels(_ names: [String]) -> [String] {
            let data = ChartData(
                columns: [ChartColumn("name", "varchar")], rows: names.map { [.text($0)] })
            return LabelOrder(data, 0).labels
        }
        #expect(labels(["Sun", "Wed", "Mon", "Wed"]) == ["Mon", "Wed", "Sun"])
        #expect(labels(["SUNDAY", "friday"]) == ["friday", "SUNDAY"])
        #expect(labels(["Dec", "May", "Jan"]) == ["Jan", "May", "Dec"])
        // One that is neither: the order of the rows is meant, which places labels as they come.
        #expect(labels(["Sun", "Holiday", "Mon"]) == [])
        #expect(labels(["Mo", "M"]) == [])
    }
}
