import HTTPMessages
import JSON
import TableCatalog

extension IcebergEndpoint {
    static let listNamespaces = IcebergEndpoint(.get, "/v1/{prefix}/namespaces") { call in
        let (limit, token) = try call.paging()
        let parent = call.request.queryItems["parent"].map {
            $0.isEmpty ? [] : IcebergCall.levels($0)
        }
        let page = try call.catalog.listNamespaces(
            call.context, call.warehouse, parent: parent ?? [], limit: limit, token: token)
        var object = JSONObject([
            (
                "namespaces",
                .array(page.elements.map { .array($0.map { .string($0) }) })
            )
        ])
        if let token = page.nextToken {
            object.append("next-page-token", .string(PageToken.text(token)))
        }
        return call.json(.object(object))
    }

    static let createNamespace = IcebergEndpoint(
        .post, "/v1/{prefix}/namespaces",
        again: { call in
            let levels = try call.body()["namespace"].strings()
            return call.describe(
                try call.catalog.namespace(call.context, call.warehouse, levels))
        }
    ) { call in
        let body = try call.body()
        let made = try call.catalog.createNamespace(
            call.context, call.warehouse, try body["namespace"].strings(),
            properties: try body["properties"].optionalStringMap() ?? [:])
        return call.describe(made)
    }

    static let loadNamespace = IcebergEndpoint(.get, "/v1/{prefix}/namespaces/{namespace}") {
        call in
        call.describe(
            try call.catalog.namespace(call.context, call.warehouse, call.namespace))
    }

    static let headNamespace = IcebergEndpoint(.head, "/v1/{prefix}/namespaces/{namespace}") {
        call in
        _ = try call.catalog.namespace(call.context, call.warehouse, call.namespace)
        return IcebergCall.noContent
    }

    static let dropNamespace = IcebergEndpoint(
        .delete, "/v1/{prefix}/namespaces/{namespace}", again: nothingAgain
    ) { call in
        try call.catalog.dropNamespace(call.context, call.warehouse, call.namespace)
        return IcebergCall.noContent
    }

    static let updateNamespace = IcebergEndpoint(
        .post, "/v1/{prefix}/namespaces/{namespace}/properties",
        again: { call in
            let body = try call.body()
            let set = try body["updates"].optionalStringMap() ?? [:]
            let removed = try body["removals"].isPresent ? body["removals"].strings() : []
            return call.json([
                "updated": .array(set.keys.sorted().map { .string($0) }),
                "removed": .array(removed.map { .string($0) }), "missing": [],
            ])
        }
    ) { call in
        let body = try call.body()
        let result = try call.catalog.updateNamespace(
            call.context, call.warehouse, call.namespace,
            set: try body["updates"].optionalStringMap() ?? [:],
            remove: try body["removals"].isPresent ? body["removals"].strings() : [])
        return call.json([
            "updated": .array(result.updated.map { .string($0) }),
            "removed": .array(result.removed.map { .string($0) }),
            "missing": .array(result.missing.map { .string($0) }),
        ])
    }
}

extension IcebergCall {
    fileprivate func describe(_ namespace: Namespace) -> Response {
        json([
            "namespace": .array(namespace.levels.map { .string($0) }),
            "properties": Self.json(namespace.properties),
        ])
    }
}
