import JSON
import Telemetry

/// Which objects pipelines take, and what to do with one that none takes.
///
/// A file that is put into a watched bucket under a key that fits no trigger starts nothing. Whoever put
/// it there waits for rows, so it is told, with the shape that its key should have.
package struct ObjectClaims: Sendable {
    /// What waits in a bucket for a pipeline that never comes.
    package struct Unclaimed: Sendable, Hashable {
        package let bucket: String
        package let key: String
        /// What keys of the bucket look like that a pipeline takes.
        package let expected: String
        /// What to do, in one sentence.
        package let remedy: String

        package var uri: String { "s3://\(bucket)/\(key)" }
    }

    private let takers: [Taker]
    /// What steps read by themselves: the fixed begins of `s3://bucket/…` in their options.
    private let sources: [String]

    private struct Taker: Sendable {
        let pipeline: String
        let bucket: String
        let prefix: String
        let pattern: GlobPattern?
        /// Whether the key names the table.
        let readsKey: Bool

        func takes(_ bucket: String, _ key: String) -> Bool {
            bucket == self.bucket && key.utf8.starts(with: prefix.utf8)
                && pattern?.matches(key) ?? true
        }

        /// A key that names a table, as `target: from-key` reads it: warehouse, namespace and table are
        /// the parts of the whole key, so that each part of the prefix stands for one of them.
        func key(_ names: [String], file: String) -> String {
            let given = prefix.utf8.count { $0 == UInt8(ascii: "/") }
            return prefix + (names.dropFirst(given) + [file]).joined(separator: "/")
        }
    }

    init(_ documents: some Sequence<PipelineDocument>) {
        var takers: [Taker] = []
        var sources: [String] = []
        for document in documents.sorted(by: { $0.name < $1.name }) {
            let readsKey = document.steps.contains { Self.texts($0.options).contains("from-key") }
            for trigger in document.triggers {
                guard case .objectCreated(let bucket, let prefix, let pattern) = trigger else {
                    continue
                }
                takers.append(
                    Taker(
                        pipeline: document.name, bucket: bucket, prefix: prefix, pattern: pattern,
                        readsKey: readsKey))
            }
            for step in document.steps {
                sources += Self.texts(step.options).filter { $0.hasPrefix("s3://") }
                    .map { String($0.prefix { !"*?{$".contains($0) }) }
            }
        }
        self.takers = takers
        // `s3://${event.bucket}/…` says nothing of a place.
        self.sources = sources.filter { $0.utf8.count > "s3://".utf8.count }
    }

    /// The buckets in which keys name tables.
    package var landingBuckets: [String] {
        Set(takers.filter(\.readsKey).map(\.bucket)).sorted()
    }

    /// What is wrong with an object's key; nil when something takes it, when nothing watches its bucket,
    /// and for the marks that writers leave (`_SUCCESS`, `.part`, empty folders).
    package func unclaimed(_ bucket: String, _ key: String) -> Unclaimed? {
        let watching = takers.filter { $0.bucket == bucket }
        let name = key.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard !watching.isEmpty, !name.isEmpty, !name.hasPrefix("_"), !name.hasPrefix("."),
            !watching.contains(where: { $0.takes(bucket, key) }),
            !sources.contains(where: { "s3://\(bucket)/\(key)".hasPrefix($0) })
        else { return nil }
        let table = name.prefix { $0 != "." }
        for landing in watching where landing.readsKey {
            let warehouse = landing.prefix.isEmpty ? "bronze" : "WAREHOUSE"
            let example = landing.key([warehouse, "NAMESPACE", String(table)], file: String(name))
            guard landing.takes(bucket, example) else { continue }
            let shape = landing.key(["WAREHOUSE", "NAMESPACE", "TABLE"], file: "FILE")
            return Unclaimed(
                bucket: bucket, key: key, expected: shape,
                remedy:
                    "put it at \(shape), the pipeline \(landing.pipeline) loads it from there: "
                    + "lakehouse s3 mv s3://\(bucket)/\(key) s3://\(bucket)/\(example)")
        }
        let expected = watching.map { $0.prefix + ($0.pattern?.text ?? "**") }
        return Unclaimed(
            bucket: bucket, key: key, expected: expected.joined(separator: ", "),
            remedy: "give it a name that fits a pipeline: "
                + watching.map { "\($0.pipeline) takes \($0.prefix)\($0.pattern?.text ?? "**")" }
                .joined(separator: "; "))
    }

    private static func texts(_ value: JSONValue) -> [String] {
        switch value {
        case .string(let text): [text]
        case .array(let elements): elements.flatMap(texts)
        case .object(let object): object.members.flatMap { texts($0.value) }
        default: []
        }
    }
}

extension JobScheduler {
    /// Which objects the tenant's pipelines take; those that are paused count too.
    package func objectClaims(tenant: String) -> ObjectClaims {
        ObjectClaims(documents.filter { $0.key.tenant == tenant }.map(\.value))
    }
}
