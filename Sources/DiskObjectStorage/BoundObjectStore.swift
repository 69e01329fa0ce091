import Authority
import ObjectStorage

/// The store as one context may use it.
struct BoundObjectStore: ObjectStore {
    let store: DiskObjectStore
    let context: RequestContext

    func describe(_ location: ObjectLocation) throws(ObjectStoreError) -> ObjectDescription {
        try store.head(context, location).description
    }

    func open(_ location: ObjectLocation) throws(ObjectStoreError) -> any ObjectReader {
        try store.open(context, location)
    }

    func write(
        _ bytes: UnsafeRawBufferPointer, to location: ObjectLocation,
        precondition: WritePrecondition
    ) throws(ObjectStoreError) -> ObjectDescription {
        let upload = try store.beginPut(context, location)
        try upload.append(bytes)
        return try upload.commit(precondition: precondition)
    }

    func beginWrite(to location: ObjectLocation) throws(ObjectStoreError) -> any ObjectWriter {
        try store.beginPut(context, location)
    }

    func delete(_ location: ObjectLocation) throws(ObjectStoreError) {
        try store.delete(context, location)
    }

    func list(
        bucket: String, prefix: String, after: String?, limit: Int
    ) throws(ObjectStoreError) -> [ObjectDescription] {
        try store.list(
            context, bucket: bucket, prefix: prefix, delimiter: nil, after: after, limit: limit
        ).objects.map(\.description)
    }
}
