import Diagnostics
package import ObjectStorage
import Parquet
package import SQLExecution
package import SQLFunctions
package import SQLPlanning
import Vectors

/// A table over whole Parquet files of one schema: files on the command line, external tables.
package final class ParquetFilesTable: ExecutableTable {
    package let name: TableName
    package let columns: [TableColumn]
    package let statistics: TableStatistics?
    private let files: [ParquetFile]
    private let fields: [WantedField]

    /// Opens the files; the first one's schema is the table's.
    package init(name: TableName, files readers: [any ObjectReader]) throws(QueryFault) {
        var files: [ParquetFile] = []
        for reader in readers {
            do throws(ParquetError) { files.append(try ParquetFile.open(reader)) } catch {
                throw queryFault(error)
            }
        }
        guard let first = files.first else {
            throw QueryFault(.notFound, "the table has no file: \(name)")
        }
        self.name = name
        self.files = files
        let usable = first.schema.fields.filter { $0.unsupported == nil }
        fields = usable.map { WantedField($0) }
        columns = usable.map { TableColumn(name: $0.name.lowercased(), type: $0.type) }
        statistics = ParquetFilesTable.statistics(files, usable)
    }

    private static func statistics(
        _ files: [ParquetFile], _ fields: [ParquetField]
    ) -> TableStatistics {
        let rows = files.reduce(0) { $0 + $1.rowCount }
        var columns: [Int: ColumnStatistics] = [:]
        for (index, field) in fields.enumerated() where field.leaf != nil {
            var merged = BoundsMerge()
            for file in files {
                let own = file.schema.fields.first { $0.name == field.name } ?? field
                for group in 0..<file.rowGroupCount {
                    merged.add(file.bounds(rowGroup: group, of: own, as: field.type))
                }
            }
            var column = merged.statistics(rowCount: rows)
            column.distinctCount = ParquetFile.distinctEstimate(files) { file in
                file.schema.fields.first { $0.name == field.name }
            }
            columns[index] = column
        }
        return TableStatistics(rowCount: Double(rows), columns: columns)
    }

    package var fetchesRows: Bool { true }

    package func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        let wanted = request.columns.map { fields[$0] }
        let late = request.lateColumns.map { fields[$0] }
        let tasks = files.map { file in
            ParquetFileTask(
                file: file, columns: wanted.map { ScanColumn.bind($0, in: file.schema) },
                lateColumns: late.map { ScanColumn.bind($0, in: file.schema) })
        }
        return ParquetSource(
            tasks, types: request.columns.map { columns[$0].type }, request: request)
    }
}

/// Bounds of a column over many row groups.
struct BoundsMerge {
    private var lower: ParquetValue?
    private var upper: ParquetValue?
    private var nulls = 0
    private var isKnown = true
    private var isFirst = true

    mutating func add(_ bounds: ColumnBounds) {
        defer { isFirst = false }
        if let count = bounds.nullCount { nulls += count }
        if bounds.isAllNull, bounds.rowCount > 0 { return }
        guard let low = bounds.lower, let high = bounds.upper else {
            isKnown = false
            return
        }
        if lower.map({ (ParquetValue.compare(low, $0) ?? 1) < 0 }) ?? true { lower = low }
        if upper.map({ (ParquetValue.compare(high, $0) ?? -1) > 0 }) ?? true { upper = high }
    }

    func statistics(rowCount: Int) -> ColumnStatistics {
        ColumnStatistics(
            nullFraction: rowCount == 0 ? 0 : Double(nulls) / Double(rowCount),
            minimum: isKnown ? lower.map(literalValue) : nil,
            maximum: isKnown ? upper.map(literalValue) : nil)
    }
}
