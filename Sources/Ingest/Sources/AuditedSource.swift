import TableFiles
import Vectors

/// A source whose rows also say which file they came from, in which state, and when.
final class AuditedSource: RowSource {
    static let fileColumn = "_source_file"
    static let tagColumn = "_source_etag"
    static let timeColumn = "_ingested_at"

    let columns: [SourceColumn]
    private let base: any RowSource
    private let heap: Arena
    /// The three columns, every row the same.
    private let constants: [ColumnBuffer]

    var name: String { base.name }
    var isGuessed: Bool { base.isGuessed }
    var version: String? { base.version }
    var remarks: [String] { base.remarks }

    init(
        _ base: any RowSource, file: String, etag: String, atMicroseconds: Int64,
        budget: MemoryBudget
    ) throws {
        self.base = base
        let added = [
            SourceColumn(name: Self.fileColumn, type: .text),
            SourceColumn(name: Self.tagColumn, type: .text),
            SourceColumn(name: Self.timeColumn, type: .timestamp(precision: 6)),
        ]
        if let clash = base.columns.first(where: { own in added.contains { $0.name == own.name } })
        {
            throw IngestError(
                .incompatibleType, "\(base.name) has a column \(clash.name), which is added here",
                hint: "rename it")
        }
        columns = base.columns + added
        heap = Arena(budget: budget)
        constants = added.map { ColumnBuffer(type: $0.type) }
        for (buffer, text) in zip(constants, [file, etag]) {
            var copy = text
            let view = try copy.withUTF8 { bytes in
                guard let start = bytes.baseAddress else { return StringView.empty }
                return try heap.copy(StringView(start, count: bytes.count))
            }
            for row in 0..<buffer.capacity { buffer.set(row, view) }
        }
        for row in 0..<constants[2].capacity { constants[2].set(row, atMicroseconds) }
    }

    var team: LoadTeam? { base.team }

    func read(
        as types: [LogicalType], budget: MemoryBudget, _ body: (Chunk) throws -> Void
    ) throws {
        try check(types)
        let output = audited()
        try base.read(as: own(types), budget: budget) { chunk in
            take(chunk, into: output)
            try body(output)
        }
    }

    func readTogether(
        as types: [LogicalType], budget: MemoryBudget, _ body: ([Chunk]) throws -> Void
    ) throws {
        try check(types)
        var outputs: [Chunk] = []
        try base.readTogether(as: own(types), budget: budget) { chunks in
            while outputs.count < chunks.count { outputs.append(audited()) }
            for (chunk, output) in zip(chunks, outputs) { take(chunk, into: output) }
            try body(Array(outputs[0..<chunks.count]))
        }
    }

    private func check(_ types: [LogicalType]) throws(IngestError) {
        for (column, type) in zip(columns, types).dropFirst(base.columns.count)
        where column.type != type {
            throw IngestError(
                .incompatibleType, "column \(column.name) is \(type) in the table",
                hint: "drop it, or load into another table")
        }
    }

    /// The types of the columns that are not added here.
    private func own(_ types: [LogicalType]) -> [LogicalType] {
        Array(types.prefix(base.columns.count))
    }

    /// A chunk that has the added columns already.
    private func audited() -> Chunk {
        let output = Chunk(columnCount: columns.count)
        for (index, buffer) in constants.enumerated() {
            output.columns[base.columns.count + index] = buffer.vector
        }
        return output
    }

    private func take(_ chunk: Chunk, into output: Chunk) {
        for index in base.columns.indices { output.columns[index] = chunk.columns[index] }
        output.count = chunk.count
        output.selection = chunk.selection
        output.selectedCount = chunk.selectedCount
    }
}
