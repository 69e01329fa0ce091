import Authority
import Ingest
import Ledger
import SQLEngine

/// The trail for `system.ledger.entries`.
struct LedgerReading: LedgerDoor {
    let ledger: AuditLedger
    let authorizer: any Authorizer

    /// In the order of `LedgerRow.textColumns`.
    private static let columns: [LedgerBounds.Column] = [
        .principal, .principalID, .requestID, .door, .action, .resource, .decision, .queryID,
        .runID,
    ]

    func read(
        _ context: RequestContext, _ wanted: ScanConditions
    ) throws -> (_ limit: Int) throws -> [LedgerRow] {
        var bounds = LedgerBounds()
        bounds.sinceMicroseconds = wanted.sinceMicroseconds
        bounds.untilMicroseconds = wanted.untilMicroseconds
        for (name, column) in zip(LedgerRow.textColumns, Self.columns) {
            if let texts = wanted.texts[name] { bounds.texts[column] = texts }
        }
        let scan = try ledger.scan(context, authorizer: authorizer, bounds)
        return { limit in try scan.next(limit: limit).map(Self.row) }
    }

    private static func row(_ record: LedgerRecord) -> LedgerRow {
        let entry = record.entry
        return LedgerRow(
            sequence: entry.sequence, atMicroseconds: entry.atMicroseconds,
            texts: [
                entry.principalName, entry.principalID, entry.requestID, entry.door, entry.action,
                entry.resource, entry.decision, record.queryID, record.runID,
            ], snapshotID: record.snapshotID, detail: entry.detail)
    }
}

/// The registry of files for `system.ingest.registry`.
struct RegistryReading: IngestDoor {
    let registry: IngestRegistry
    let authorizer: any Authorizer

    func registry(_ context: RequestContext) throws -> [RegistryRow] {
        var mayRead: [IngestTarget: Bool] = [:]
        return try registry.entries().compactMap { entry in
            let isAllowed =
                mayRead[entry.target]
                ?? authorizer.decide(
                    context, .tableSelect,
                    Resource(
                        tenant: context.tenant, kind: .table,
                        path: [entry.target.warehouse] + entry.target.namespace
                            + [entry.target.table])
                ).isAllowed
            mayRead[entry.target] = isAllowed
            guard isAllowed else { return nil }
            return RegistryRow(
                sourceFile: entry.sourceFile, etag: entry.etag, sizeBytes: entry.sizeBytes,
                table: "\(entry.target)", rowCount: entry.rowCount, status: entry.status.rawValue,
                message: entry.message, atMicroseconds: entry.atMicroseconds)
        }
    }
}
