import Bytes
package import Vectors

/// The text that clients see of a digest or shape: base64 of a digest, well-known text of a shape.
package func opaqueText(_ type: OpaqueType, _ bytes: UnsafeBufferPointer<UInt8>) -> String {
    if !type.isDigest, let shape = try? Shape(bytes) { return shape.text }
    return base64Text(Array(bytes))
}
