import Iceberg
import JSON

/// Judges a commit by a table's contracts. Pure, but for the manifests that it reads.
struct ContractCheck {
    let identifier: TableIdentifier
    let base: TableMetadata
    let next: TableMetadata
    let manifests: ManifestSource

    /// Throws `.contractBroken` with the name of the first rule that does not hold.
    func check(_ contracts: [Contract]) throws {
        let known = Set(base.snapshots.map(\.snapshotID))
        let added = next.snapshots.filter { !known.contains($0.snapshotID) }
        var files: [DataFile]?
        for contract in contracts {
            switch contract.rule {
            case .notNull(let column):
                if files == nil { files = try addedFiles(added) }
                try notNull(column, files ?? [], contract)
            case .range(let column, let minimum, let maximum):
                if files == nil { files = try addedFiles(added) }
                guard let field = next.currentSchema.field(named: column),
                    let type = field.type.primitive
                else { throw broken(contract, "the column \(column) is gone") }
                try range(
                    field, type, minimum.flatMap { Literal(json: $0, type: type) },
                    maximum.flatMap { Literal(json: $0, type: type) }, files ?? [], contract)
            case .appendOnly: try appendOnly(added, contract)
            case .schema(let isFrozen): try schema(isFrozen, contract)
            case .rows(let minimum, let maximum): try rows(minimum, maximum, contract)
            }
        }
    }

    private func broken(_ contract: Contract, _ reason: String) -> CatalogError {
        CatalogError(
            code: .contractBroken,
            message: "the contract \(contract.name) of \(identifier) refuses the commit: \(reason)",
            hint: "correct the rows, or have the contract changed by who owns the table")
    }

    /// The data files that the commit's snapshots added and that are there in the end.
    private func addedFiles(_ snapshots: [Snapshot]) throws -> [DataFile] {
        let ids = Set(snapshots.map(\.snapshotID))
        var files: [String: DataFile] = [:]
        for snapshot in snapshots {
            for manifest in try manifests.manifests(of: snapshot)
            where manifest.content == .data && ids.contains(manifest.addedSnapshotID) {
                for entry in try manifests.entries(of: manifest, in: next)
                where entry.status == .added && ids.contains(entry.snapshotID ?? 0) {
                    files[entry.file.path] = entry.file
                }
            }
        }
        return files.values.sorted { $0.path < $1.path }
    }

    private func notNull(
        _ column: String, _ files: [DataFile], _ contract: Contract
    ) throws {
        guard let field = next.currentSchema.field(named: column) else {
            throw broken(contract, "the column \(column) is gone")
        }
        for file in files where file.recordCount > 0 {
            if let spec = next.spec(id: file.specID),
                let part = spec.fields.firstIndex(where: {
                    $0.sourceID == field.id && $0.transform == .identity
                }), part < file.partition.count, file.partition[part] != nil
            {
                continue
            }
            guard let nulls = file.nullCounts[field.id] else {
                throw broken(contract, "\(file.path) has no metrics of \(column)")
            }
            guard nulls == 0 else {
                throw broken(contract, "\(nulls) rows of \(file.path) have no \(column)")
            }
        }
    }

    private func range(
        _ field: NestedField, _ type: PrimitiveType, _ minimum: Literal?, _ maximum: Literal?,
        _ files: [DataFile], _ contract: Contract
    ) throws {
        for file in files where file.recordCount > 0 {
            if let nulls = file.nullCounts[field.id], nulls == file.valueCounts[field.id] {
                continue
            }
            if let nans = file.nanCounts[field.id], nans > 0 {
                throw broken(contract, "\(nans) rows of \(file.path) have NaN in \(field.name)")
            }
            let bounds = ColumnRange(file, field.id, type)
            if let minimum {
                guard let lower = bounds.lower, let order = lower.order(to: minimum) else {
                    throw broken(contract, "\(file.path) has no metrics of \(field.name)")
                }
                guard order >= 0 else {
                    throw broken(
                        contract, "\(field.name) is as low as \(Self.text(lower)) in \(file.path)")
                }
            }
            if let maximum {
                guard let upper = bounds.upper, let order = upper.order(to: maximum) else {
                    throw broken(contract, "\(file.path) has no metrics of \(field.name)")
                }
                guard order <= 0 else {
                    throw broken(
                        contract, "\(field.name) is as high as \(Self.text(upper)) in \(file.path)")
                }
            }
        }
    }

    private struct ColumnRange {
        var lower: Literal?
        var upper: Literal?

        init(_ file: DataFile, _ id: Int32, _ type: PrimitiveType) {
            lower = file.lowerBounds[id].flatMap { Literal(singleValueBytes: $0, type: type) }
            upper = file.upperBounds[id].flatMap { Literal(singleValueBytes: $0, type: type) }
        }
    }

    private static func text(_ literal: Literal) -> String { literal.json.encodedText() }

    private func appendOnly(_ added: [Snapshot], _ contract: Contract) throws {
        for snapshot in added where !["append", "replace"].contains(snapshot.operation ?? "") {
            throw broken(contract, "it is no append, but: \(snapshot.operation ?? "unknown")")
        }
        // What a branch went back to is a row removed too.
        for (name, reference) in base.references where reference.kind == .branch {
            guard let now = next.references[name] else {
                if name == "main" { throw broken(contract, "the branch main is gone") }
                continue
            }
            let line = next.ancestors(of: now.snapshotID).map(\.snapshotID)
            guard line.contains(reference.snapshotID) else {
                throw broken(contract, "the branch \(name) is set to another history")
            }
        }
    }

    private func schema(_ isFrozen: Bool, _ contract: Contract) throws {
        let (old, new) = (base.currentSchema, next.currentSchema)
        if old.fields == new.fields { return }
        guard !isFrozen else { throw broken(contract, "the columns may not change") }
        var present: [Int32: (NestedField, String)] = [:]
        new.visit { field, path in present[field.id] = (field, path) }
        var reason: String?
        old.visit { field, path in
            guard let (now, newPath) = present[field.id] else {
                reason = reason ?? "the column \(path) is gone"
                return
            }
            if newPath != path { reason = reason ?? "the column \(path) is now \(newPath)" }
            if now.isRequired, !field.isRequired {
                reason = reason ?? "the column \(path) takes no NULL any more"
            }
        }
        if let reason { throw broken(contract, reason) }
    }

    private func rows(_ minimum: Int64?, _ maximum: Int64?, _ contract: Contract) throws {
        guard next.currentSnapshotID != base.currentSnapshotID else { return }
        var count: Int64 = 0
        if let snapshot = next.currentSnapshot {
            guard let total = snapshot.summary["total-records"].flatMap({ Int64($0) }) else {
                throw broken(contract, "the snapshot does not say how many rows there are")
            }
            let gone = snapshot.summary["total-position-deletes"].flatMap { Int64($0) } ?? 0
            count = max(0, total &- gone)
        }
        if let minimum, count < minimum {
            throw broken(
                contract, "the table would have \(count) rows, at least \(minimum) are due")
        }
        if let maximum, count > maximum {
            throw broken(contract, "the table would have \(count) rows, at most \(maximum) may be")
        }
    }
}
