/// Where shapes are parsed and asked; of one thread.
package final class GeometryContext {
    let library: GEOSLibrary
    let handle: GEOSLibrary.Context
    private let reader: OpaquePointer
    private let writer: OpaquePointer
    private let messages = MessageBox()

    /// What GEOS said last.
    private final class MessageBox { var text = "" }

    /// Throws `.notInstalled` where there is no GEOS.
    package init() throws(GeometryError) {
        guard let library = GEOSLibrary.shared, let handle = library.start() else {
            throw GeometryError(
                code: .notInstalled,
                message: "this function needs the library GEOS, which is not installed",
                hint: "install it beside the server: apt-get install libgeos-c1v5")
        }
        guard let reader = library.makeReader(handle) else {
            library.finish(handle)
            throw GeometryError(code: .invalid, message: "GEOS made no reader")
        }
        guard let writer = library.makeWriter(handle) else {
            library.destroyReader(handle, reader)
            library.finish(handle)
            throw GeometryError(code: .invalid, message: "GEOS made no writer")
        }
        self.library = library
        self.handle = handle
        self.reader = reader
        self.writer = writer
        library.setByteOrder(handle, writer, 1)
        library.setDimension(handle, writer, 3)
        library.setIncludesSRID(handle, writer, 1)
        _ = library.setErrorHandler(
            handle,
            { message, box in
                guard let message, let box else { return }
                // The context owns the box and ends before it.
                Unmanaged<MessageBox>.fromOpaque(box).takeUnretainedValue().text = String(
                    cString: message)
            }, Unmanaged.passUnretained(messages).toOpaque())
    }

    deinit {
        library.destroyWriter(handle, writer)
        library.destroyReader(handle, reader)
        library.finish(handle)
    }

    /// The shape of EWKB bytes.
    package func parse(_ bytes: [UInt8]) throws(GeometryError) -> ParsedGeometry {
        try own(
            bytes.withUnsafeBufferPointer { library.read(handle, reader, $0.baseAddress, $0.count) }
        )
    }

    /// Takes a shape that GEOS made; nil is a failure.
    func own(_ shape: GEOSLibrary.Shape?) throws(GeometryError) -> ParsedGeometry {
        guard let shape else { throw failure() }
        return ParsedGeometry(shape, self)
    }

    /// The bytes of a shape, EWKB.
    func bytes(_ shape: GEOSLibrary.Shape) throws(GeometryError) -> [UInt8] {
        var count = 0
        guard let start = library.write(handle, writer, shape, &count) else { throw failure() }
        defer { library.free(handle, start) }
        return [UInt8](UnsafeBufferPointer(start: start, count: count))
    }

    /// An answer of GEOS: 0, 1, or 2 for a failure.
    func truth(_ answer: CChar) throws(GeometryError) -> Bool {
        guard answer == 0 || answer == 1 else { throw failure() }
        return answer == 1
    }

    func failure() -> GeometryError {
        GeometryError(
            code: .invalid,
            message: messages.text.isEmpty ? "GEOS gave no answer" : messages.text)
    }
}
