import HTTPMessages
import Iceberg
import JSON
import TableCatalog

private let tables = "/v1/{prefix}/namespaces/{namespace}/tables"

extension IcebergEndpoint {
    static let listTables = IcebergEndpoint(.get, tables) { call in
        let (limit, token) = try call.paging()
        return call.identifiers(
            try call.catalog.listTables(
                call.context, call.warehouse, call.namespace, limit: limit, token: token))
    }

    static let createTable = IcebergEndpoint(
        .post, tables,
        again: { call in
            let name = try call.body()["name"].string()
            return try call.answer(
                try call.catalog.loadTable(
                    call.context, call.warehouse,
                    TableIdentifier(namespace: call.namespace, name: name)))
        }
    ) { call in
        let body = try call.body()
        let creation = TableCreation(
            name: try body["name"].string(), schema: try Schema(body["schema"]),
            spec: body["partition-spec"].isPresent
                ? try PartitionSpec(body["partition-spec"]) : .unpartitioned,
            sortOrder: body["write-order"].isPresent
                ? try SortOrder(body["write-order"]) : .unsorted,
            properties: try body["properties"].optionalStringMap() ?? [:],
            location: try body["location"].optionalString())
        let table = try call.catalog.createTable(
            call.context, call.warehouse, namespace: call.namespace, creation,
            isStaged: try body["stage-create"].optionalBool() ?? false)
        return try call.answer(table)
    }

    static let loadTable = IcebergEndpoint(.get, tables + "/{table}") { call in
        let wanted = call.request.queryItems["snapshots"] ?? "all"
        guard let mode = SnapshotMode(rawValue: wanted) else {
            throw RequestFault("snapshots has to be all or refs: \(wanted)")
        }
        if let seen = call.request.fields["If-None-Match"] {
            let location = try call.catalog.metadataLocation(
                call.context, call.warehouse, call.table)
            let tag = call.etag(location, mode)
            let tags = seen.utf8.split(separator: 0x2C).map { $0.filter { $0 != 0x20 } }
            let (strong, weak) = (Array(tag.utf8), Array(("W/" + tag).utf8))
            if tags.contains(where: { $0 == strong || $0 == weak }) {
                var response = Response(status: 304)
                response.fields["ETag"] = tag
                return response
            }
        }
        return try call.answer(
            try call.catalog.loadTable(call.context, call.warehouse, call.table), snapshots: mode)
    }

    static let headTable = IcebergEndpoint(.head, tables + "/{table}") { call in
        guard try call.catalog.tableExists(call.context, call.warehouse, call.table) else {
            throw CatalogError(code: .noSuchTable, message: "table not found: \(call.table)")
        }
        return IcebergCall.noContent
    }

    static let dropTable = IcebergEndpoint(
        .delete, tables + "/{table}", again: nothingAgain
    ) { call in
        let purge = call.request.queryItems["purgeRequested"]?.lowercased() == "true"
        try call.catalog.dropTable(call.context, call.warehouse, call.table, purge: purge)
        return IcebergCall.noContent
    }

    static let renameTable = IcebergEndpoint(
        .post, "/v1/{prefix}/tables/rename", again: nothingAgain
    ) { call in
        let body = try call.body()
        try call.catalog.renameTable(
            call.context, call.warehouse, from: try IcebergCall.identifier(body["source"]),
            to: try IcebergCall.identifier(body["destination"]))
        return IcebergCall.noContent
    }

    static let loadCredentials = IcebergEndpoint(.get, tables + "/{table}/credentials") { call in
        let table = try call.catalog.loadTable(call.context, call.warehouse, call.table)
        try call.requireUnrestricted(table)
        let credentials = try call.vend(table)
        return call.json([
            "storage-credentials": credentials.map { call.storageCredentials(table, $0) } ?? []
        ])
    }

    static let reportMetrics = IcebergEndpoint(.post, tables + "/{table}/metrics") { call in
        let text = try call.bodyBytes()
        let report = try JSONValue(parsing: text).cursor
        try call.catalog.keep(
            MetricsReport(
                kind: try report["report-type"].string(),
                snapshotID: try report["snapshot-id"].optionalInt64(),
                body: String(decoding: text, as: UTF8.self)), call.context, call.warehouse,
            call.table)
        return IcebergCall.noContent
    }
}
