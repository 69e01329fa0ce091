import HTTPMessages
import Iceberg
import JSON
import TableCatalog

private let views = "/v1/{prefix}/namespaces/{namespace}/views"

extension IcebergEndpoint {
    static let listViews = IcebergEndpoint(.get, views) { call in
        let (limit, token) = try call.paging()
        return call.identifiers(
            try call.catalog.listViews(
                call.context, call.warehouse, call.namespace, limit: limit, token: token))
    }

    static let createView = IcebergEndpoint(
        .post, views,
        again: { call in
            let name = try call.body()["name"].string()
            return call.answer(
                try call.catalog.loadView(
                    call.context, call.warehouse,
                    TableIdentifier(namespace: call.namespace, name: name)))
        }
    ) { call in
        let body = try call.body()
        return call.answer(
            try call.catalog.createView(
                call.context, call.warehouse,
                TableIdentifier(namespace: call.namespace, name: try body["name"].string()),
                schema: try Schema(body["schema"]), version: try ViewVersion(body["view-version"]),
                properties: try body["properties"].optionalStringMap() ?? [:],
                location: try body["location"].optionalString()))
    }

    static let loadView = IcebergEndpoint(.get, views + "/{view}") { call in
        call.answer(try call.catalog.loadView(call.context, call.warehouse, call.view))
    }

    static let headView = IcebergEndpoint(.head, views + "/{view}") { call in
        guard try call.catalog.viewExists(call.context, call.warehouse, call.view) else {
            throw CatalogError(code: .noSuchView, message: "view not found: \(call.view)")
        }
        return IcebergCall.noContent
    }

    static let replaceView = IcebergEndpoint(
        .post, views + "/{view}",
        again: { call in
            call.answer(try call.catalog.loadView(call.context, call.warehouse, call.view))
        }
    ) { call in
        let body = try call.body()
        return call.answer(
            try call.catalog.commitView(
                call.context, call.warehouse, call.view,
                requirements: try body["requirements"].optionalElements()?.map {
                    try TableRequirement($0)
                } ?? [], updates: try body["updates"].elements().map { try ViewUpdate($0) }))
    }

    static let dropView = IcebergEndpoint(
        .delete, views + "/{view}", again: nothingAgain
    ) { call in
        try call.catalog.dropView(call.context, call.warehouse, call.view)
        return IcebergCall.noContent
    }

    static let renameView = IcebergEndpoint(
        .post, "/v1/{prefix}/views/rename", again: nothingAgain
    ) { call in
        let body = try call.body()
        try call.catalog.renameView(
            call.context, call.warehouse, from: try IcebergCall.identifier(body["source"]),
            to: try IcebergCall.identifier(body["destination"]))
        return IcebergCall.noContent
    }
}

extension IcebergCall {
    func answer(_ view: LoadedView) -> Response {
        json([
            "metadata-location": .string(view.metadataLocation), "metadata": view.metadata.json,
            "config": [:],
        ])
    }
}
