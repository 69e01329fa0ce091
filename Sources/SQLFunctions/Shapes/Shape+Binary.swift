import Bytes

extension Shape {
    /// Parts within parts.
    private static let maxDepth = 32
    private static let zFlag: UInt32 = 0x8000_0000
    private static let mFlag: UInt32 = 0x4000_0000
    private static let sridFlag: UInt32 = 0x2000_0000

    /// Reads WKB, ISO WKB and EWKB of either byte order. Measures (M) are refused.
    ///
    ///     [1: little-endian, 0: big][kind and flags u32][srid u32, if flagged] then by kind:
    ///     point [x][y][z]    line [count u32][positions]    polygon [count u32][lines]
    ///     several [count u32][shapes]
    ///
    /// Source: OGC Simple Feature Access, part 1, section 8; PostGIS, "EWKB".
    init(_ bytes: Text) throws(QueryFault) {
        var reader = ByteReader(Array(bytes))
        do throws(BytesError) {
            self = try Shape.read(&reader, depth: 0)
            guard reader.isAtEnd else { throw Shape.damaged }
        } catch { throw invalid("Invalid WKB") }
        try checked()
    }

    private static var damaged: BytesError {
        BytesError(code: .invalidLength, message: "not a shape")
    }

    private static func read(_ reader: inout ByteReader, depth: Int) throws(BytesError) -> Shape {
        guard depth < maxDepth else { throw damaged }
        let order = try reader.readUInt8()
        guard order <= 1 else { throw damaged }
        func number() throws(BytesError) -> UInt32 {
            order == 1 ? try reader.readUInt32LE() : try reader.readUInt32BE()
        }
        func coordinate() throws(BytesError) -> Double {
            Double(
                bitPattern: order == 1 ? try reader.readUInt64LE() : try reader.readUInt64BE())
        }
        let code = try number()
        let plain = code & 0x0FFF_FFFF
        guard code & mFlag == 0, plain < 2000, let kind = Kind(rawValue: plain % 1000) else {
            throw damaged
        }
        let hasZ = code & zFlag != 0 || plain >= 1000
        let srid = code & sridFlag != 0 ? Int32(bitPattern: try number()) : 0
        let width = hasZ ? 24 : 16
        func positions(_ count: Int) throws(BytesError) -> [Position] {
            guard count <= reader.remaining / width else { throw damaged }
            var result: [Position] = []
            result.reserveCapacity(count)
            for _ in 0..<count {
                let (x, y) = (try coordinate(), try coordinate())
                result.append(Position(x: x, y: y, z: hasZ ? try coordinate() : .nan))
            }
            return result
        }
        var shape = Shape(kind, srid: srid)
        switch kind {
        case .point:
            let position = try positions(1)
            // Not-a-number is how WKB writes POINT EMPTY.
            if let only = position.first, !only.x.isNaN || !only.y.isNaN {
                shape.rings = [position]
            }
        case .lineString:
            let line = try positions(Int(try number()))
            if !line.isEmpty { shape.rings = [line] }
        case .polygon:
            let count = Int(try number())
            guard count <= reader.remaining / 4 else { throw damaged }
            for _ in 0..<count { shape.rings.append(try positions(Int(try number()))) }
        case .multiPoint, .multiLineString, .multiPolygon, .collection:
            let count = Int(try number())
            guard count <= reader.remaining / 5 else { throw damaged }
            for _ in 0..<count {
                let part = try read(&reader, depth: depth + 1)
                guard kind.part == nil || kind.part == part.kind else { throw damaged }
                shape.parts.append(part)
            }
        }
        shape.hasZ = hasZ
        return shape
    }

    /// How bytes are written.
    enum Dialect {
        /// As values lie in vectors: flags for the third coordinate and the spatial reference.
        case extended
        /// ISO: 1000 more for the third coordinate, no spatial reference.
        case standard
    }

    func bytes(_ dialect: Dialect = .extended) -> [UInt8] {
        var buffer = ByteBuffer()
        write(dialect, hasZ: hasZ, srid: dialect == .extended ? srid : 0, to: &buffer)
        return buffer.bytes
    }

    private func write(_ dialect: Dialect, hasZ: Bool, srid: Int32, to buffer: inout ByteBuffer) {
        buffer.append(1)
        var code = kind.rawValue
        if hasZ { code += dialect == .extended ? Self.zFlag : 1000 }
        if srid != 0 { code |= Self.sridFlag }
        buffer.appendUInt32LE(code)
        if srid != 0 { buffer.appendInt32LE(srid) }
        func put(_ position: Position) {
            buffer.appendDoubleLE(position.x)
            buffer.appendDoubleLE(position.y)
            if hasZ { buffer.appendDoubleLE(position.z) }
        }
        switch kind {
        case .point: put(first ?? Position(x: .nan, y: .nan))
        case .lineString:
            let line = rings.first ?? []
            buffer.appendUInt32LE(UInt32(line.count))
            for position in line { put(position) }
        case .polygon:
            buffer.appendUInt32LE(UInt32(rings.count))
            for ring in rings {
                buffer.appendUInt32LE(UInt32(ring.count))
                for position in ring { put(position) }
            }
        case .multiPoint, .multiLineString, .multiPolygon, .collection:
            buffer.appendUInt32LE(UInt32(parts.count))
            for part in parts { part.write(dialect, hasZ: hasZ, srid: 0, to: &buffer) }
        }
    }
}

extension Shape: KernelOutput {
    static func store(_ value: Shape, _ row: Int, _ output: Output) {
        value.bytes().withUnsafeBufferPointer { output.putCopy($0, row) }
    }
}
