package import Authority
import Iceberg
import JSON
import SQLite

extension Catalog {
    /// The contracts of a table, by name.
    package func contracts(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> [Contract] {
        try authorizer.require(
            context, .tableSelect, resource(context, at, identifier.namespace, identifier.name))
        return try database.read { tx in
            let pointer = try requirePointer(tx, context, at, identifier, kind: .table)
            return try contracts(tx, context, uuid: pointer.uuid)
        }
    }

    /// Declares a contract, or replaces the one of its name. It holds from the next commit on, on every
    /// branch of the table; what is in the table is not looked at.
    package func declare(
        _ contract: Contract, _ context: RequestContext, _ at: CatalogReference,
        _ identifier: TableIdentifier
    ) throws {
        try authorizer.require(
            context, .tableAlter, resource(context, at, identifier.namespace, identifier.name))
        try Self.check(name: contract.name)
        let pointer = try database.read { tx in
            try requirePointer(tx, context, at, identifier, kind: .table)
        }
        try contract.check(
            against: try metadata(at: pointer.metadataLocation).metadata.currentSchema)
        try database.writeGrouped { tx in
            try tx.run(
                """
                INSERT OR REPLACE INTO contracts (tenant, uuid, name, rule, set_by, at_us)
                VALUES (?, ?, ?, ?, ?, ?)
                """, context.tenant, pointer.uuid, contract.name, contract.json.encodedText(),
                context.principal.name, tx.nowMicroseconds)
            try note(tx, context, at, pointer, "catalog.contract.declared", contract.name)
        }
    }

    /// Takes a contract away; false when there was none of the name.
    @discardableResult
    package func removeContract(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        name: String
    ) throws -> Bool {
        try authorizer.require(
            context, .tableAlter, resource(context, at, identifier.namespace, identifier.name))
        return try database.writeGrouped { tx in
            let pointer = try requirePointer(tx, context, at, identifier, kind: .table)
            let known = try contracts(tx, context, uuid: pointer.uuid)
            guard known.contains(where: { $0.name == name }) else { return false }
            try tx.run(
                "DELETE FROM contracts WHERE tenant = ? AND uuid = ? AND name = ?", context.tenant,
                pointer.uuid, name)
            try note(tx, context, at, pointer, "catalog.contract.removed", name)
            return true
        }
    }

    /// Throws `.contractBroken` for a commit that a contract of the table refuses.
    func checkContracts(
        _ context: RequestContext, _ pointer: Pointer, from base: TableMetadata,
        to next: TableMetadata
    ) throws {
        let contracts = try database.read { tx in
            try self.contracts(tx, context, uuid: pointer.uuid)
        }
        if contracts.isEmpty { return }
        try ContractCheck(
            identifier: pointer.identifier, base: base, next: next, manifests: manifests
        ).check(contracts)
    }

    private func contracts(
        _ tx: ReadTransaction, _ context: RequestContext, uuid: String
    ) throws -> [Contract] {
        try tx.query(
            "SELECT name, rule FROM contracts WHERE tenant = ? AND uuid = ? ORDER BY name",
            context.tenant, uuid
        ) { try Contract(name: $0.string(0), JSONValue(parsing: $0.string(1)).cursor) }
    }

    private func note(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ pointer: Pointer, _ kind: String, _ name: String
    ) throws {
        try record(
            tx, context, at, kind: kind, namespace: pointer.identifier.namespace,
            name: pointer.identifier.name, details: [("contract", .string(name))])
    }
}
