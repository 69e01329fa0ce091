import CWebFiles

/// The files below `web/`, `seeds/` and `demos/`, which the binary carries.
package enum EmbeddedFiles {
    /// Paths below the project's root, in order.
    package static var paths: [String] {
        (0..<web_file_count()).map { String(cString: web_file_at($0).pointee.path) }
    }

    /// The bytes of a file; nil when there is none of that path.
    package static func bytes(_ path: String) -> [UInt8]? {
        for index in 0..<web_file_count() {
            let file = web_file_at(index).pointee
            guard String(cString: file.path) == path else { continue }
            return Array(UnsafeBufferPointer(start: file.bytes, count: file.size))
        }
        return nil
    }

    /// The text of a file.
    package static func text(_ path: String) -> String? {
        bytes(path).map { String(decoding: $0, as: UTF8.self) }
    }
}
