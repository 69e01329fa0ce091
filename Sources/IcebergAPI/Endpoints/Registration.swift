import HTTPMessages
import JSON
import TableCatalog

extension IcebergEndpoint {
    static let registerTable = IcebergEndpoint(
        .post, "/v1/{prefix}/namespaces/{namespace}/register",
        again: { call in
            try call.answer(
                try call.catalog.loadTable(
                    call.context, call.warehouse, try call.named(in: try call.body())))
        }
    ) { call in
        let body = try call.body()
        return try call.answer(
            try call.catalog.registerTable(
                call.context, call.warehouse, try call.named(in: body),
                metadataLocation: try body["metadata-location"].string(),
                overwrite: try body["overwrite"].optionalBool() ?? false))
    }

    /// Takes a table out of the catalog; the answer is what another catalog needs to take it in.
    static let unregisterTable = IcebergEndpoint(
        .post, "/v1/{prefix}/namespaces/{namespace}/tables/{table}/unregister",
        again: { call in
            call.unregistered(
                try call.catalog.lastState(call.context, call.warehouse, call.table))
        }
    ) { call in
        try call.requireUnrestricted(call.table)
        return call.unregistered(
            try call.catalog.unregisterTable(call.context, call.warehouse, call.table))
    }

    static let registerView = IcebergEndpoint(
        .post, "/v1/{prefix}/namespaces/{namespace}/register-view",
        again: { call in
            call.answer(
                try call.catalog.loadView(
                    call.context, call.warehouse, try call.named(in: try call.body())))
        }
    ) { call in
        let body = try call.body()
        return call.answer(
            try call.catalog.registerView(
                call.context, call.warehouse, try call.named(in: body),
                metadataLocation: try body["metadata-location"].string()))
    }
}

extension IcebergCall {
    /// What the `name` of a body means in the path's namespace.
    func named(in body: JSONCursor) throws -> TableIdentifier {
        TableIdentifier(namespace: namespace, name: try body["name"].string())
    }

    fileprivate func unregistered(_ table: LoadedTable) -> Response {
        var writer = JSONWriter(capacity: table.metadataText.count + 256)
        writer.beginObject()
        writer.member("metadata-location", table.metadataLocation)
        writer.member("metadata")
        writer.raw(table.metadataText)
        writer.endObject()
        return Response(status: 200, contentType: "application/json", bytes: writer.bytes)
    }
}
