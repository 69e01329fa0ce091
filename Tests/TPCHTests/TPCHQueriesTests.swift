import Foundation
import Testing
import TPCH

/// The queries that users run are those that the tests of the engine run.
struct TPCHQueriesTests {
    @Test func `the texts are those of the tests`() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("SQL/tpch")
        #expect(TPCHQueries.all.count == 22)
        for query in TPCHQueries.all {
            let file = folder.appendingPathComponent("\(query.name).sql")
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(words(text) == words(query.text), "\(query.name)")
        }
    }

    /// The words of a text, without comments and the semicolon.
    private func words(_ text: String) -> [String] {
        text.split(separator: "\n").filter { !$0.hasPrefix("--") }.joined(separator: " ")
            .replacingOccurrences(of: ";", with: "").split(separator: " ").map(String.init)
    }
}
