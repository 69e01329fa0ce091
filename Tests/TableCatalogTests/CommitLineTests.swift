import Authority
import Foundation
import Iceberg
import Synchronization
import TableCatalog
import Testing

/// Many writers of one table at once: each commit takes effect once, alone, and refusals touch no other.
struct CommitLineTests {
    private struct Tally {
        var done: [String] = []
        var locations: [String] = []
        var codes: [String] = []
    }

    @Test func `writers of one table share transactions and keep states of their own`() throws {
        let bench = try Bench()
        try bench.prepare()
        let tally = Mutex(Tally())
        let (writers, rounds) = (8, 12)
        DispatchQueue.concurrentPerform(iterations: writers) { writer in
            for round in 0..<rounds {
                let name = "w\(writer)-\(round)"
                // Every third commit asks for what does not hold.
                let isRefused = round % 3 == 2
                do {
                    let table = try bench.catalog.commit(
                        bench.context, bench.at,
                        TableCommit(
                            identifier: bench.table,
                            requirements: isRefused ? [.assertCurrentSchemaID(77)] : [],
                            updates: [.setProperties([name: "yes"])]))
                    // The answer is the state that this very commit made.
                    let isOwn = table.metadata.properties[name] == "yes"
                    tally.withLock {
                        $0.done.append(isOwn ? name : "foreign \(name)")
                        $0.locations.append(table.metadataLocation)
                    }
                } catch let error as IcebergError {
                    tally.withLock { $0.codes.append(error.code.rawValue) }
                } catch { tally.withLock { $0.codes.append("\(error)") } }
            }
        }
        let found = tally.withLock { $0 }
        let refused = writers * rounds / 3
        #expect(found.done.count == writers * rounds - refused)
        #expect(Set(found.locations).count == found.done.count)
        #expect(
            found.codes
                == Array(
                    repeating: IcebergError.Code.requirementFailed.rawValue, count: refused))
        let table = try bench.catalog.loadTable(bench.context, bench.at, bench.table)
        #expect(
            Set(table.metadata.properties.keys.filter { $0.hasPrefix("w") && $0.contains("-") })
                == Set(found.done))
        // Each state before the last is in the log, and its file in the store.
        for location in found.locations {
            #expect(throws: Never.self) { try bench.catalog.manifests.read(location) }
        }
        #expect(
            try bench.catalog.log(bench.context, bench.at, limit: 1000).count
                >= found.done.count)
    }

    @Test func `a table that comes to be takes its first writer alone`() throws {
        let bench = try Bench()
        try bench.prepare()
        let made = TableIdentifier(namespace: ["sales"], name: "fresh")
        let outcomes = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 6) { _ in
            let code = bench.code {
                _ = try bench.catalog.commit(
                    bench.context, bench.at,
                    TableCommit(
                        identifier: made, requirements: [.assertCreate],
                        updates: [
                            .addSchema(Bench.schema, lastColumnID: 9), .setCurrentSchema(-1),
                            .addSpec(.unpartitioned, hasFieldIDs: true), .setDefaultSpec(-1),
                            .addSortOrder(.unsorted), .setDefaultSortOrder(-1),
                        ]))
            }
            outcomes.withLock { $0.append(code ?? "made") }
        }
        let found = outcomes.withLock { $0 }
        #expect(found.filter { $0 == "made" }.count == 1)
        #expect(
            found.filter { $0 == IcebergError.Code.requirementFailed.rawValue }.count == 5)
    }
}
