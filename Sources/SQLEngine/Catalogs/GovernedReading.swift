import Authority
import Iceberg
import ObjectStorage
import SQLExecution
import SQLFunctions
import SQLPlanning
import TableCatalog

extension IcebergReading {
    /// The reading that refuses files which the reader may not have: those outside of the table's own
    /// places, without a right to the object, and those of other tables which the viewer sees only a part
    /// of.
    ///
    /// The engine reads with the appliance's own rights. Without this, who may write metadata could name
    /// any files in a table of their own and read them there. What belongs to the table itself is its own
    /// policies' business.
    func guarded(
        _ context: RequestContext, own table: TableKey, _ rule: TableFileRule
    ) -> IcebergReading {
        var copy = self
        copy.manifests = rule.guarding(manifests)
        copy.check = { location throws(QueryFault) in
            do throws(IcebergError) { try rule.require(location) } catch {
                throw EngineCatalogs.fault(error, about: "\(location)")
            }
        }
        let viewer = context.audience
        guard let governance, viewer.kind != .system else { return copy }
        let tenant = context.tenant
        let isOfTable = copy.check
        copy.isGoverned = true
        copy.check = { location throws(QueryFault) in
            try isOfTable?(location)
            let closed = governance.restriction(
                of: viewer, tenant: tenant, bucket: location.bucket, key: location.key, own: table)
            guard let closed else { return }
            throw QueryFault(
                .permissionDenied,
                "Access Denied: the table has files of another table, which you see only a part of",
                hint: closed.reason)
        }
        return copy
    }
}

extension EngineCatalogs {
    /// A metadata table for somebody who sees only a part of the table itself.
    ///
    /// Paths, partitions and counts by file tell values, so those tables are refused; what tells only
    /// which snapshots there are stays, without the summaries.
    func governedMetadata(
        _ table: any PlannedTable, _ kind: String, _ base: TableName, _ loaded: LoadedTable,
        _ reading: IcebergReading
    ) throws(QueryFault) -> ResolvedRelation {
        if loaded.isUnrestricted {
            // Manifests of another table tell its partitions.
            if let place = loaded.metadata.currentSnapshot?.manifestList,
                let location = ObjectLocation(uri: place)
            {
                try reading.check?(location)
            }
            return .table(table, .everything)
        }
        switch kind {
        case "history", "refs": return .table(table, .everything)
        case "properties":
            // How many values a column has in all tells of the hidden ones.
            var decision = Decision.everything
            decision.rowFilter = "key <> '\(DistinctCounts.property)'"
            return .table(table, decision)
        case "snapshots":
            var decision = Decision.everything
            decision.columnMasks = [
                "summary": "cast(null as map(varchar, varchar))",
                "manifest_list": "cast(null as varchar)",
            ]
            return .table(table, decision)
        default:
            throw QueryFault(
                .permissionDenied,
                "Access Denied: Cannot select from table \(base)$\(kind): you see only a part of "
                    + "\(base)", hint: loaded.decision.restriction)
        }
    }
}
