import HTTPMessages
import Iceberg
import JSON
import TableCatalog

extension IcebergEndpoint {
    static let commitTable = IcebergEndpoint(
        .post, "/v1/{prefix}/namespaces/{namespace}/tables/{table}",
        again: { call in
            try call.committed(try call.catalog.loadTable(call.context, call.warehouse, call.table))
        }
    ) { call in
        let commit = try IcebergCall.commit(try call.body(), call.table)
        try call.requireUnrestricted(commit.identifier)
        return try call.committed(try call.catalog.commit(call.context, call.warehouse, commit))
    }

    static let commitTransaction = IcebergEndpoint(
        .post, "/v1/{prefix}/transactions/commit", again: nothingAgain
    ) { call in
        let commits = try call.body()["table-changes"].elements().map { change in
            try IcebergCall.commit(change, nil)
        }
        for commit in commits { try call.requireUnrestricted(commit.identifier) }
        try call.catalog.commit(call.context, call.warehouse, commits)
        return IcebergCall.noContent
    }
}

extension IcebergCall {
    /// A `CommitTableResponse`.
    fileprivate func committed(_ table: LoadedTable) throws -> Response {
        try requireUnrestricted(table)
        var writer = JSONWriter(capacity: table.metadataText.count + 256)
        writer.beginObject()
        writer.member("metadata-location", table.metadataLocation)
        writer.member("metadata")
        writer.raw(table.metadataText)
        writer.endObject()
        var response = Response(
            status: 200, contentType: "application/json", bytes: writer.bytes)
        response.fields["ETag"] = etag(table.metadataLocation, .all)
        return response
    }

    /// A change of one table; the identifier stands in the path, or has to be in the change.
    static func commit(_ at: JSONCursor, _ path: TableIdentifier?) throws -> TableCommit {
        TableCommit(
            identifier: try path ?? identifier(at["identifier"]),
            requirements: try at["requirements"].optionalElements()?.map {
                try TableRequirement($0)
            } ?? [],
            updates: try at["updates"].elements().map { try TableUpdate($0) })
    }
}
