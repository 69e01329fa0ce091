package import Authority
package import Iceberg

extension Catalog {
    /// Writes a table's manifests anew where they are too many; what it did, or would do.
    package func optimizeManifests(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        isDryRun: Bool = false, summary: [String: String] = [:]
    ) throws -> ManifestRewriting {
        try authorizer.require(
            context, .tableInsert, resource(context, at, identifier.namespace, identifier.name))
        let planned = try pins.section {
            try snapshotProducer().plannedManifestRewriting(
                of: try loadTable(context, at, identifier).metadata)
        }
        if isDryRun || !planned.isNeeded { return planned }
        var done = ManifestRewriting()
        do {
            _ = try commitWithRetry(context, at, identifier) { metadata in
                let made = try snapshotProducer().rewriteManifests(of: metadata, summary: summary)
                guard let made else { throw NothingToRewrite() }
                done = made.rewriting
                return made.product
            }
        } catch is NothingToRewrite {
            // Somebody else did it meanwhile.
            return ManifestRewriting(kept: planned.added)
        }
        return done
    }

    private struct NothingToRewrite: Error {}

    /// Drops the branches that failed runs of pipelines have left and that are older than a moment, unless
    /// `isNeeded` says that a run still works on one. Returns what became of each.
    package func expireRunBranches(
        _ context: RequestContext, warehouse: String, olderThanMicroseconds: Int64, isDryRun: Bool,
        isNeeded: (String) -> Bool
    ) throws -> (dropped: [String], failures: [String]) {
        var dropped: [String] = []
        var failures: [String] = []
        for reference in try references(context, warehouse: warehouse)
        where reference.kind == .branch && reference.at.reference.hasPrefix(Self.runBranchPrefix)
            && reference.createdMicroseconds < olderThanMicroseconds
            && !isNeeded(reference.at.reference)
        {
            do {
                if !isDryRun { _ = try dropReference(context, reference.at, mayBeMissing: true) }
                dropped.append(reference.at.reference)
            } catch {
                // One that another branch was made from stays until that is gone.
                failures.append("\(reference.at.reference): \(error)")
            }
        }
        return (dropped, failures)
    }

    /// How the branches of runs are called: see `RunBranch`.
    private static let runBranchPrefix = "run_"
}
