import Foundation
import Testing

@testable import Metrics

/// What is wrong in a file is said with its place and what was probably meant.
struct MetricFileTests {
    static let good = """
        name: shop
        version: 1
        tables:
          - {name: orders, source: a.b.orders, certified: true, key: [id], time: {column: at}}
          - {name: stores, source: a.b.stores, certified: true, key: [store]}
        joins:
          - {from: orders, to: stores, on: {store: store}, cardinality: many-to-one}
        dimensions:
          - {name: region, table: stores}
        metrics:
          - {name: revenue, table: orders, kind: additive, expression: sum(orders.amount)}
        """

    @Test func aGoodFileIsRead() throws {
        let model = try MetricFile.parse(Self.good, path: "shop.yml")
        #expect(model.name == "shop" && model.metrics.map(\.name) == ["revenue"])
        #expect(model.digest == (try MetricFile.parse(Self.good, path: "x")).digest)
        let other = Self.good.replacingOccurrences(of: "version: 1", with: "version: 2")
        #expect(model.digest != (try MetricFile.parse(other, path: "x")).digest)
    }

    @Test(arguments: [
        ("certified: true, key: [id]", "certified: false, key: [id]", 4, "not certified"),
        ("source: a.b.orders", "source: orders", 4, "catalog.schema.table"),
        ("many-to-one", "one-to-many", 7, "many-to-one"),
        ("{store: store}", "{store: name}", 7, "does not cover the key of stores"),
        ("to: stores", "to: stors", 7, "unknown table: stors"),
        ("name: region", "name: Region", 9, "small letters"),
        ("name: region", "name: week", 9, "belongs to the grammar"),
        ("sum(orders.amount)", "sum(amount)", 11, "a column without its table: amount"),
        ("sum(orders.amount)", "sum(orderz.amount)", 11, "unknown table: orderz"),
        ("sum(orders.amount)", "orders.amount", 11, "no aggregate"),
        ("sum(orders.amount)", "sum(orders.amount) / 2", 11, "additive metric is one sum"),
        ("sum(orders.amount)", "count(DISTINCT orders.id)", 11, "additive metric is one sum"),
        ("sum(orders.amount)", "sum((orders.amount)", 11, "not closed"),
        ("sum(orders.amount)", "(SELECT sum(orders.amount))", 11, "SELECT has no place"),
        ("sum(orders.amount)", "\"sum(orders.amount); drop\"", 11, "semicolons"),
        ("kind: additive", "kind: additve", 11, "unknown kind: additve"),
        (
            "expression: sum(orders.amount)", "expression: sum(orders.amount), minimum_rows: 5", 11,
            "an additive metric has no minimum_rows"
        ),
        (
            "kind: additive, expression: sum(orders.amount)",
            "kind: other, expression: avg(orders.amount), minimum_rows: 0", 11, "minimum_rows: 1 to"
        ),
        ("version: 1", "version: 0", 2, "1 or more"),
        ("tables:", "week_start: sunday\ntables:", 3, "ISO weeks"),
        ("tables:", "zone: Europe/Wien\ntables:", 3, "time zone not found"),
        ("metrics:", "metricks: []\nmetrics:", 10, "unknown key: metricks"),
    ])
    func aWrongFileIsRefusedWithItsLine(
        _ from: String, _ to: String, _ line: Int, _ message: String
    ) throws {
        let text = Self.good.replacingOccurrences(of: from, with: to)
        #expect(text != Self.good)
        do throws(MetricError) {
            _ = try MetricFile.parse(text, path: "shop.yml")
            Issue.record("accepted: \(to)")
        } catch {
            #expect(error.message.hasPrefix("shop.yml:\(line):"), "\(error.message)")
            #expect(error.message.contains(message), "\(error.message)")
        }
    }

    @Test func theLeastNumberOfRowsIsRead() throws {
        let text = Self.good.replacingOccurrences(
            of: "kind: additive, expression: sum(orders.amount)",
            with: "kind: other, expression: avg(orders.amount), minimum_rows: 30")
        let metric = try MetricFile.parse(text, path: "shop.yml").metrics[0]
        #expect(metric.minimumRows == 30)
        #expect(try MetricFile.parse(Self.good, path: "x").metrics[0].minimumRows == nil)
    }

    @Test func twoWaysToATableAreRefused() throws {
        let text = Self.good.replacingOccurrences(
            of: "dimensions:",
            with: """
                  - {from: orders, to: stores, on: {second: store}, cardinality: many-to-one}
                dimensions:
                """)
        let model = try MetricFile.parse(text, path: "shop.yml")
        #expect(throws: MetricError.self) {
            try JoinPath(from: "orders", to: ["stores"], in: model)
        }
    }
}
