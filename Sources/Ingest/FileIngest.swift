package import Authority
import JSON
package import ObjectStorage

/// Files that the caller has opened, on their way into a table.
package struct FileIngest {
    private let request: IngestRequest
    private let format: String?

    /// `into` is the table's full name, `mode` append or replace; a table that is not there is made, parted
    /// by `partition`. `format` is for files whose names do not tell.
    package init(
        into table: String, mode: IngestMode, partition: [String] = [], format: String? = nil
    ) throws(IngestError) {
        if let format, ObjectFormat(rawValue: format) == nil {
            throw IngestError(
                .invalidOptions, "unknown format: \(format)",
                hint: "formats: " + ObjectFormat.allCases.map(\.rawValue).joined(separator: ", "),
                option: "format")
        }
        guard mode == .append || mode == .replace else {
            throw IngestError(
                .invalidOptions, "files are appended, or replace what is there", option: "mode")
        }
        self.format = format
        // Only the target's part is used: what is read comes open.
        request = try IngestRequest(
            .object([
                ("source", .object([("object", .string("s3://files/given.csv"))])),
                ("target", .string(table)), ("mode", .string(mode.rawValue)),
                ("partition", .array(partition.map { .string($0) })),
            ]))
    }

    /// Brings the rows of all files into the table with one commit, or none of them.
    package func run(
        _ context: RequestContext, _ files: [any ObjectReader], with ingestor: Ingestor,
        identity: IngestIdentity, log: @escaping (String) -> Void = { _ in }
    ) throws -> IngestReport {
        guard !files.isEmpty, files.count <= IngestLimits.objects else {
            throw IngestError(
                .limitExceeded, "1 to \(IngestLimits.objects) files are taken at once")
        }
        let table = TargetTable(
            catalog: ingestor.catalog, context: context, target: request.target)
        let work = IngestWork(
            ingestor: ingestor, context: context, request: request, identity: identity,
            table: table, log: log)
        return try work.load(
            try files.map {
                try ObjectSource.open($0, format: format, budget: ingestor.budget)
            })
    }
}
