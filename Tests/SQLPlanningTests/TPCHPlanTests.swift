import Foundation
import SQLFunctions
import SQLPlanning
import Testing

/// The 22 queries of TPC-H: they bind, every rule leaves a sound plan, and no join is a cross product
/// but with a single row.
struct TPCHPlanTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .appending(path: "SQL/tpch")

    static let queries: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? [])
        .filter { $0.hasSuffix(".sql") }.sorted()

    private func text(_ file: String) throws -> String {
        try String(contentsOf: Self.folder.appending(path: file), encoding: .utf8)
    }

    @Test("every query binds and is optimized without a cross product", arguments: queries)
    func plans(_ file: String) throws {
        let query = try Planning(catalog: tpch).query(try text(file))
        #expect(crossProducts(query.plan).isEmpty)
        var printer = PlanPrinter()
        #expect(!printer.text(query.plan).isEmpty)
    }

    @Test("every query binds with the optimizer off and with each rule alone", arguments: queries)
    func rulesAlone(_ file: String) throws {
        let sql = try text(file)
        for rule in [-1] + (0..<10) {
            var planning = Planning(catalog: tpch)
            planning.rules = rule < 0 ? .none : OptimizerRules(rawValue: 1 << rule)
            #expect(try !planning.query(sql).columns.isEmpty)
        }
    }

    @Test("more rows than an integer counts are expected and told as a power of ten")
    func countlessRows() throws {
        let names = (1...8).map { "lineitem l\($0)" }.joined(separator: ", ")
        let query = try Planning(catalog: tpch).query("SELECT l1.l_tax FROM \(names)")
        #expect(query.plan.estimate.rows > 1e30)
        var printer = PlanPrinter(showsEstimates: true)
        #expect(printer.text(query.plan).contains("rows 1e"))
    }

    /// As in TPC-DS 85: a selective condition between two tables that no key joins.
    @Test("a condition without an equality is no reason to join every pair")
    func pairs() throws {
        let query = try Planning(catalog: tpch).query(
            """
            SELECT count(*) FROM lineitem, orders, customer
            WHERE l_orderkey = o_orderkey AND o_custkey = c_custkey
              AND ((c_mktsegment = 'BUILDING' AND c_nationkey = 1 AND l_quantity BETWEEN 1 AND 2)
                OR (c_mktsegment = 'MACHINERY' AND c_nationkey = 2 AND l_quantity BETWEEN 3 AND 4))
            """)
        #expect(joinsWithoutEquality(query.plan) == 0)
    }

    private func joinsWithoutEquality(_ plan: LogicalPlan) -> Int {
        let below = plan.children.reduce(0) { $0 + joinsWithoutEquality($1) }
        guard case .join(let node) = plan, node.equalities.isEmpty else { return below }
        return below + 1
    }

    /// Cross joins whose sides may both have several rows.
    private func crossProducts(_ plan: LogicalPlan) -> [String] {
        var found = plan.children.flatMap(crossProducts)
        if case .join(let node) = plan, node.kind == .cross, node.left.estimate.rows > 1,
            node.right.estimate.rows > 1
        {
            found.append("cross join of \(node.left.estimate.rows) and \(node.right.estimate.rows)")
        }
        return found
    }

    @Test(
        "plans of a folder, for people",
        .enabled(if: ProcessInfo.processInfo.environment["PLANS_OF"] != nil))
    func show() throws {
        let folder = ProcessInfo.processInfo.environment["PLANS_OF"] ?? ""
        for file in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        where file.hasSuffix(".sql") {
            let sql = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
            print("=== \(file)")
            do {
                print(try Planning(catalog: tpch).text(sql, estimates: true))
            } catch {
                print("FAILED: \(error)")
                var off = Planning(catalog: tpch)
                off.rules = .none
                print((try? off.text(sql)) ?? "")
            }
        }
    }
}
