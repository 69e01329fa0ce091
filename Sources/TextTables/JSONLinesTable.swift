import Diagnostics
import JSON
package import Vectors

/// A file with one JSON object a line. Columns are the union of the members, in order of appearance;
/// nested values come as JSON text.
package final class JSONLinesTable: TextTableReader {
    package let columns: [TextColumn]
    private let source: any ByteSource
    private let lines: LineReader
    private let buffers: [ColumnBuffer]
    private let heap: Arena

    /// Opens a file whose columns are known; members that have no column are dropped.
    package init(_ source: any ByteSource, columns: [TextColumn], budget: MemoryBudget) throws {
        try source.rewind()
        self.source = source
        self.columns = columns
        lines = LineReader(source)
        buffers = columns.map { ColumnBuffer(type: $0.type) }
        heap = Arena(budget: budget)
    }

    /// Opens a file and finds its columns and types by reading it once to its end.
    package convenience init(inferring source: any ByteSource, budget: MemoryBudget) throws {
        try self.init(source, columns: JSONLinesTable.infer(source), budget: budget)
    }

    private static func infer(_ source: any ByteSource) throws -> [TextColumn] {
        try source.rewind()
        let lines = LineReader(source)
        var names: [String] = []
        var places: [String: Int] = [:]
        var guesses: [TextTypeGuess?] = []
        var nested: Set<Int> = []
        while let object = try nextObject(lines, source) {
            for (name, value) in object.members {
                let place: Int
                if let known = places[name] {
                    place = known
                } else {
                    place = names.count
                    places[name] = place
                    names.append(name)
                    guesses.append(nil)
                }
                guard let guess = guess(value, isNested: { nested.insert(place) }) else { continue }
                guesses[place] = guesses[place].map { $0.joined(guess) } ?? guess
            }
        }
        guard !names.isEmpty else {
            throw TextTableError(.empty, "the file holds no JSON object: \(source.name)")
        }
        return names.indices.map { place in
            let type: LogicalType =
                nested.contains(place) ? .json : TextTypeGuess.type(of: guesses[place])
            return TextColumn(name: names[place], type: type)
        }
    }

    private static func guess(_ value: JSONValue, isNested: () -> Void) -> TextTypeGuess? {
        switch value {
        case .null: return nil
        case .bool: return .boolean
        case .number(let number):
            return number.int64 != nil ? .bigint : .double
        case .string(let text):
            // Only dates and times are read out of strings: "12" was meant as text.
            let guess = TextTypeGuess(of: text)
            return guess == .date || guess == .timestamp ? guess : .text
        case .array, .object:
            isNested()
            return .text
        }
    }

    private static func nextObject(
        _ lines: LineReader, _ source: any ByteSource
    ) throws -> JSONObject? {
        while let line = try lines.next() {
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            let value: JSONValue
            do { value = try JSONValue(parsing: line) } catch {
                throw TextTableError(
                    .invalidJSON, "line \(lines.number) of \(source.name) is not JSON", cause: error
                )
            }
            guard case .object(let object) = value else {
                throw TextTableError(
                    .invalidJSON,
                    "line \(lines.number) of \(source.name) is \(value.kind), not an object",
                    hint: "the file needs one object a line")
            }
            return object
        }
        return nil
    }

    package func next(into chunk: Chunk) throws -> Bool {
        heap.reset()
        for buffer in buffers { buffer.reset() }
        var row = 0
        while row < Chunk.capacity, let object = try JSONLinesTable.nextObject(lines, source) {
            for (index, column) in columns.enumerated() {
                try store(object[column.name], index, row)
            }
            row += 1
        }
        chunk.count = row
        chunk.selection = nil
        for index in columns.indices { chunk.columns[index] = buffers[index].vector }
        return row > 0
    }

    private func store(_ value: JSONValue?, _ index: Int, _ row: Int) throws {
        guard let value, !value.isNull else {
            buffers[index].setNull(row)
            return
        }
        let isStored =
            if case .json = columns[index].type {
                try put(value.encodedText(), index, row)
            } else {
                switch value {
                case .bool(let flag): try put(flag ? "true" : "false", index, row)
                case .number(let number): try put(number.text, index, row)
                case .string(let text): try put(text, index, row)
                default: try put(value.encodedText(), index, row)
                }
            }
        guard isStored else {
            throw TextTableError(
                .invalidValue,
                "line \(lines.number), member \(columns[index].name) of \(source.name) is not a "
                    + "\(columns[index].type): \(value.encodedText().prefix(80))")
        }
    }

    private func put(_ text: String, _ index: Int, _ row: Int) throws -> Bool {
        var text = text
        return try text.withUTF8 {
            try TextValue.store($0, into: buffers[index], row: row, heap: heap)
        }
    }
}

/// Splits a source into lines.
final class LineReader {
    private let source: any ByteSource
    private var buffer: [UInt8] = []
    private var start = 0
    /// The number of the line last given, from 1.
    private(set) var number = 0

    init(_ source: any ByteSource) { self.source = source }

    /// The next line without its end; nil at the end of the source.
    func next() throws -> [UInt8]? {
        var scanned = start
        while true {
            if let end = buffer[scanned...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                number += 1
                return Array(buffer[start..<end])
            }
            scanned = buffer.count - start
            buffer.removeFirst(start)
            start = 0
            guard buffer.count <= TextLimits.recordBytes else {
                throw TextTableError(
                    .recordTooLong,
                    "line \(number + 1) of \(source.name) passes \(TextLimits.recordBytes) bytes")
            }
            let block = try [UInt8](unsafeUninitializedCapacity: TextLimits.blockBytes) {
                room, count in
                count = try source.read(into: UnsafeMutableRawBufferPointer(room))
            }
            if block.isEmpty {
                guard !buffer.isEmpty else { return nil }
                defer { buffer = [] }
                number += 1
                return buffer
            }
            buffer += block
        }
    }
}
