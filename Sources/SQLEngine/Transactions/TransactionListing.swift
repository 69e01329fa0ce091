import Authority
import SQLFunctions
import SQLPlanning
import TableCatalog
import Vectors

/// `system.runtime.transactions`: the transactions that are open and that the caller may see, which are
/// the caller's own, and all of them for administrators. Statements outside of START TRANSACTION are none.
enum TransactionListing {
    static func table(
        _ name: TableName, _ keeper: TransactionKeeper, _ context: RequestContext
    ) -> ListingTable {
        let columns: [TableColumn] = [
            TableColumn(name: "transaction_id", type: .text),
            TableColumn(name: "isolation_level", type: .text),
            TableColumn(name: "read_only", type: .boolean),
            TableColumn(name: "auto_commit_context", type: .boolean),
            TableColumn(name: "create_time", type: .timestampWithTimeZone(precision: 3)),
            TableColumn(name: "idle_time_secs", type: .bigint),
            TableColumn(name: "written_catalog", type: .text),
            TableColumn(name: "catalogs", type: .array(.text)),
        ]
        return ListingTable(name, columns) { (_) throws(QueryFault) in
            let seesAll =
                context.principal.kind == .system || context.principal.roles.contains("admin")
            let own = keeper.all.filter {
                seesAll || $0.transaction.context.principal.id == context.principal.id
            }
            return own.sorted { $0.transaction.id < $1.transaction.id }.map { entry in
                let transaction = entry.transaction
                let catalogs = Set(transaction.references.map(\.origin.warehouse)).sorted()
                return [
                    .text(transaction.id),
                    .text(transaction.isSerializable ? "SERIALIZABLE" : "REPEATABLE READ"),
                    .boolean(transaction.isReadOnly), .boolean(false),
                    .wide(Int128(transaction.createdMicroseconds / 1000 * 1000) << 64),
                    .integer(entry.idleSeconds), .null, .list(catalogs.map { .text($0) }),
                ]
            }
        }
    }
}
