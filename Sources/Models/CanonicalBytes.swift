import Diagnostics

/// Writes what a model is in the one form that its digest covers: little-endian, lengths before lists.
struct CanonicalWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ value: Int) {
        withUnsafeBytes(of: Int64(value).littleEndian) { bytes += $0 }
    }
    mutating func put(_ value: Double) {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }
    mutating func put(_ text: String) {
        put(text.utf8.count)
        bytes += text.utf8
    }
    mutating func put(_ values: [Double]) {
        put(values.count)
        for value in values { put(value) }
    }
}

/// Reads it back; the bytes come from the database and are checked like anybody's.
struct CanonicalReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    private mutating func word() throws(ModelError) -> UInt64 {
        guard bytes.count - at >= 8 else { throw .damaged("it ends too early") }
        var value: UInt64 = 0
        for index in 0..<8 { value |= UInt64(bytes[at + index]) << UInt64(8 * index) }
        at += 8
        return value
    }

    mutating func int() throws(ModelError) -> Int { Int(Int64(bitPattern: try word())) }
    mutating func double() throws(ModelError) -> Double { Double(bitPattern: try word()) }

    /// A count of things that take at least `bytesEach`.
    mutating func count(bytesEach: Int) throws(ModelError) -> Int {
        let count = try int()
        guard count >= 0, count <= (bytes.count - at) / bytesEach else {
            throw .damaged("a length is out of bounds")
        }
        return count
    }

    mutating func text() throws(ModelError) -> String {
        let length = try count(bytesEach: 1)
        defer { at += length }
        return String(decoding: bytes[at..<(at + length)], as: UTF8.self)
    }

    mutating func doubles() throws(ModelError) -> [Double] {
        var values: [Double] = []
        for _ in 0..<(try count(bytesEach: 8)) { values.append(try double()) }
        return values
    }
}

/// What goes wrong with models themselves; the verbs throw `QueryFault`.
package struct ModelError: Fault {
    package enum Code: String, Sendable { case damaged = "models.damaged" }

    package let code: Code
    package let message: String
    package let hint: String?

    static func damaged(_ what: String) -> ModelError {
        ModelError(
            code: .damaged, message: "the stored model is damaged: \(what)",
            hint: "train it again with CREATE OR REPLACE MODEL, or restore a backup")
    }
}
