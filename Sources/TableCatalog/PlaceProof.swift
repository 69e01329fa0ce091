import Iceberg
import ObjectStorage
import Platform

extension Catalog {
    /// Refuses a table or view that is taken in where no metadata file could ever be written: its next
    /// commit would be in the journal alone. Nothing is written.
    func prove(_ identifier: TableIdentifier, _ folder: String) throws {
        let path = Self.metadataName(folder, 0, entropy.uuid())
        do throws(IcebergError) {
            guard let location = ObjectLocation(uri: path) else {
                throw IcebergError(
                    code: .unsupported, message: "the location is not in an object store: \(path)")
            }
            do throws(ObjectStoreError) {
                try checkKey(location.key)
                _ = try manifests.store.list(
                    bucket: location.bucket, prefix: location.key, after: nil, limit: 1)
            } catch {
                throw IcebergError(
                    code: .storageFailed, message: "cannot write \(path)", cause: error)
            }
        } catch { throw Self.unprovable(identifier, path, error) }
    }

    /// What to tell of a place where no metadata could be written: that it is named wrongly, or that the
    /// storage fails at the moment, which is nobody's mistake and may be tried again.
    static func unprovable(
        _ identifier: TableIdentifier, _ path: String, _ error: IcebergError
    ) -> CatalogError {
        let mistakes: Set<ObjectStoreError.Code> = [.noSuchBucket, .invalidBucketName, .invalidKey]
        let cause = (error.cause as? ObjectStoreError)?.code
        let isMistake = error.code == .unsupported || cause.map(mistakes.contains) ?? false
        return CatalogError(
            code: isMistake ? .invalidRequest : .storageFailed,
            message: "the metadata of \(identifier) cannot be written to \(path): "
                + error.message,
            hint: isMistake ? "name a place in a bucket that there is: s3://bucket/path" : nil,
            cause: error)
    }
}
