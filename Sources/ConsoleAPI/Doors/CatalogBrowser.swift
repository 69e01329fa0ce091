package import Authority

/// A warehouse in a list.
package struct ConsoleWarehouse: Sendable, Hashable {
    package var name: String
    package var location: String

    package init(name: String, location: String) {
        self.name = name
        self.location = location
    }
}

/// Names, and whether there are more than were asked for.
package struct ConsoleNames<Name: Sendable & Hashable>: Sendable, Hashable {
    package var names: [Name]
    package var hasMore: Bool

    package init(_ names: [Name], hasMore: Bool = false) {
        self.names = names
        self.hasMore = hasMore
    }
}

/// A namespace with what is below it.
package struct ConsoleNamespace: Sendable, Hashable {
    package var levels: [String]
    package var properties: [String: String]
    package var namespaces: ConsoleNames<[String]>
    package var tables: ConsoleNames<String>
    package var views: ConsoleNames<String>

    package init(
        levels: [String], properties: [String: String], namespaces: ConsoleNames<[String]>,
        tables: ConsoleNames<String>, views: ConsoleNames<String>
    ) {
        self.levels = levels
        self.properties = properties
        self.namespaces = namespaces
        self.tables = tables
        self.views = views
    }
}

/// A table or view as its page shows it.
package struct ConsoleTable: Sendable, Hashable {
    /// One column of a table's current schema, in the schema's order.
    package struct Column: Sendable, Hashable {
        package var name: String
        package var type: String
        package var isRequired: Bool
        package var doc: String

        package init(name: String, type: String, isRequired: Bool = false, doc: String = "") {
            self.name = name
            self.type = type
            self.isRequired = isRequired
            self.doc = doc
        }
    }

    /// One snapshot of a table, newest first on the page.
    package struct SnapshotRow: Sendable, Hashable {
        package var id: Int64
        package var atMilliseconds: Int64
        package var operation: String
        /// Numbers of the summary, as Iceberg names them.
        package var summary: [String: String]
        package var isCurrent: Bool

        package init(
            id: Int64, atMilliseconds: Int64, operation: String, summary: [String: String],
            isCurrent: Bool
        ) {
            self.id = id
            self.atMilliseconds = atMilliseconds
            self.operation = operation
            self.summary = summary
            self.isCurrent = isCurrent
        }
    }

    /// One live data or delete file of a table's current snapshot.
    package struct FileRow: Sendable, Hashable {
        package var path: String
        /// `data`, `position deletes`, `equality deletes`.
        package var content: String
        package var format: String
        package var partition: String
        package var rowCount: Int64
        package var sizeBytes: Int64

        package init(
            path: String, content: String, format: String, partition: String, rowCount: Int64,
            sizeBytes: Int64
        ) {
            self.path = path
            self.content = content
            self.format = format
            self.partition = partition
            self.rowCount = rowCount
            self.sizeBytes = sizeBytes
        }
    }

    /// Why there is no list of files.
    package enum Files: Sendable, Hashable {
        case listed([FileRow], hasMore: Bool)
        /// The visitor sees part of the rows, so not the files.
        case withheld
        case failed(String)
    }

    package var warehouse: String
    package var levels: [String]
    package var name: String
    package var columns: [Column]
    package var location: String
    package var formatVersion: Int
    package var uuid: String
    /// `region`, `month(opened_at)`.
    package var partitioning: [String]
    package var sorting: [String]
    package var snapshots: [SnapshotRow]
    package var references: [String]
    package var files: Files
    package var properties: [String: String]
    /// A view's text; nil for tables.
    package var viewSQL: String?

    package init(
        warehouse: String, levels: [String], name: String, columns: [Column],
        location: String = "", formatVersion: Int = 2, uuid: String = "",
        partitioning: [String] = [], sorting: [String] = [], snapshots: [SnapshotRow] = [],
        references: [String] = [], files: Files = .listed([], hasMore: false),
        properties: [String: String] = [:], viewSQL: String? = nil
    ) {
        self.warehouse = warehouse
        self.levels = levels
        self.name = name
        self.columns = columns
        self.location = location
        self.formatVersion = formatVersion
        self.uuid = uuid
        self.partitioning = partitioning
        self.sorting = sorting
        self.snapshots = snapshots
        self.references = references
        self.files = files
        self.properties = properties
        self.viewSQL = viewSQL
    }
}

/// When a table last changed, and how large it is.
package struct TableFreshness: Sendable, Hashable {
    package var atMilliseconds: Int64
    package var rowCount: Int64?

    package init(atMilliseconds: Int64, rowCount: Int64?) {
        self.atMilliseconds = atMilliseconds
        self.rowCount = rowCount
    }
}

/// What the catalog pages show. Every verb answers for the context's principal, and throws faults.
package protocol CatalogBrowser: Sendable {
    func warehouses(_ context: RequestContext) throws -> [ConsoleWarehouse]
    /// The namespaces right below the top of a warehouse.
    func namespaces(
        _ context: RequestContext, warehouse: String
    ) throws -> ConsoleNames<[String]>
    func namespace(
        _ context: RequestContext, warehouse: String, levels: [String]
    ) throws -> ConsoleNamespace
    /// A table, or a view of that name. Throws `ConsoleNotFound` when there is neither.
    func table(
        _ context: RequestContext, warehouse: String, levels: [String], name: String
    ) throws -> ConsoleTable
    /// nil when there is no such table, or the visitor may not know.
    func freshness(
        _ context: RequestContext, warehouse: String, levels: [String], name: String
    ) -> TableFreshness?
}

/// What was looked for is not there.
package struct ConsoleNotFound: Error, Sendable {
    package let what: String
    package let hint: String?

    package init(_ what: String, hint: String? = nil) {
        self.what = what
        self.hint = hint
    }
}
