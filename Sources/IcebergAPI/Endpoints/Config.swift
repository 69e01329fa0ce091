import HTTPMessages
import JSON
import TableCatalog

extension IcebergEndpoint {
    /// What a client has to know first: its prefix, where storage is, and which endpoints there are.
    static let config = IcebergEndpoint(.get, "/v1/config") { call in
        let named = call.request.queryItems["warehouse"] ?? ""
        // Clients that call a warehouse by its place, `s3://silver/`, mean the warehouse.
        var wanted = named.isEmpty ? call.service.settings.defaultWarehouse : named
        if wanted.hasPrefix("s3://") {
            let place = wanted
            wanted =
                try call.catalog.listWarehouses(call.context).first {
                    place == $0.location || place == $0.location + "/"
                }?.name ?? place
        }
        let reference = CatalogReference(parsing: wanted)
        let warehouse = try call.catalog.warehouse(call.context, name: reference.warehouse)
        // A branch or tag that is not there is refused here and not at the first table.
        _ = try call.catalog.reference(call.context, reference)
        var overrides = ["prefix": reference.description]
        for (name, value) in warehouse.properties { overrides[name] = value }
        let endpoints = IcebergEndpoint.all
            .filter { $0.path != "/v1/config" }
            .map { JSONValue.string("\($0.method.rawValue) \($0.path)") }
        return call.json([
            "defaults": IcebergCall.json(call.service.settings.storage),
            "overrides": IcebergCall.json(overrides), "endpoints": .array(endpoints),
            "idempotency-key-lifetime": "PT24H",
        ])
    }
}
