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
