import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// Branches of one table, as Iceberg has them.
extension StatementRun {
    func createBranch(_ create: CreateBranch) throws(QueryFault) -> StatementOutcome {
        let outcome = StatementOutcome.done(updateType: "CREATE BRANCH", count: nil)
        guard create.properties.isEmpty else {
            throw QueryFault(
                .invalidTableProperty, "Branch properties are not supported",
                span: create.properties[0].span)
        }
        let name = try tableName(create.table)
        guard let table = try table(name, create.table) else { return outcome }
        try alter(table) { metadata throws(QueryFault) in
            if metadata.references[create.name.text] != nil {
                if create.mode == .ignore { return [] }
                if create.mode == .fail {
                    throw QueryFault(
                        .alreadyExists, "Branch '\(create.name.text)' already exists",
                        span: create.name.span)
                }
            }
            let origin = create.from?.text ?? "main"
            guard let start = metadata.references[origin] else {
                throw self.unknownBranch(origin, metadata, create.from ?? create.name)
            }
            return [
                .setSnapshotReference(
                    create.name.text,
                    SnapshotReference(snapshotID: start.snapshotID, kind: .branch))
            ]
        }
        return outcome
    }

    func dropBranch(
        _ branch: Identifier, _ tableName: QualifiedName, ifExists: Bool
    ) throws(QueryFault) -> StatementOutcome {
        let outcome = StatementOutcome.done(updateType: "DROP BRANCH", count: nil)
        guard branch.text != "main" else {
            throw QueryFault(
                .notSupported, "Cannot drop 'main' branch", span: branch.span)
        }
        let name = try self.tableName(tableName)
        guard let table = try table(name, tableName) else { return outcome }
        try alter(table) { metadata throws(QueryFault) in
            guard metadata.references[branch.text]?.kind == .branch else {
                if ifExists { return [] }
                throw self.unknownBranch(branch.text, metadata, branch)
            }
            return [.removeSnapshotReference(branch.text)]
        }
        return outcome
    }

    /// Moves a branch on to another's snapshot, which has to be a descendant.
    func fastForward(
        _ branch: Identifier, _ tableName: QualifiedName, to target: Identifier
    ) throws(QueryFault) -> StatementOutcome {
        let outcome = StatementOutcome.done(updateType: "FAST FORWARD BRANCH", count: nil)
        let name = try self.tableName(tableName)
        guard let table = try table(name, tableName) else { return outcome }
        try alter(table) { metadata throws(QueryFault) in
            guard var from = metadata.references[branch.text], from.kind == .branch else {
                throw self.unknownBranch(branch.text, metadata, branch)
            }
            guard let to = metadata.references[target.text] else {
                throw self.unknownBranch(target.text, metadata, target)
            }
            guard from.snapshotID != to.snapshotID else { return [] }
            let line = metadata.ancestors(of: to.snapshotID)
            guard line.contains(where: { $0.snapshotID == from.snapshotID }) else {
                throw QueryFault(
                    .notSupported,
                    "Branch '\(branch.text)' is not an ancestor of '\(target.text)'",
                    span: branch.span)
            }
            from.snapshotID = to.snapshotID
            return [.setSnapshotReference(branch.text, from)]
        }
        return outcome
    }

    func showBranches(_ tableName: QualifiedName) throws(QueryFault) -> StatementOutcome {
        let name = try self.tableName(tableName)
        let table = try table(name, tableName)
        let branches = (table?.metadata.references ?? [:]).filter { $0.value.kind == .branch }
        return .rows(
            [QueryColumn(name: "Branch", type: .text)],
            branches.keys.sorted().map { [.text($0)] })
    }

    private func unknownBranch(
        _ name: String, _ metadata: TableMetadata, _ node: any SyntaxNode
    ) -> QueryFault {
        QueryFault(
            .branchNotFound, "Branch '\(name)' does not exist",
            hint: suggestion(name, metadata.references.keys.sorted()), span: node.span)
    }
}
