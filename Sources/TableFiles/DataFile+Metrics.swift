import CivilTime
package import Iceberg
package import Parquet

extension DataFile {
    /// Takes the sizes, counts and bounds of a written file. Only columns that have one value a row get
    /// them: `primitives` are their types by field id (`Schema.primitiveColumns`).
    package mutating func describe(_ written: WrittenFile, primitives: [Int: PrimitiveType]) {
        splitOffsets = written.splitOffsets.map { Int64($0) }
        for column in written.columns {
            // The lineage of rows is no column of the table: metrics are not kept for it.
            guard let id = column.fieldID, let field = Int32(exactly: id),
                RowLineage(rawValue: field) == nil
            else { continue }
            columnSizes.append(field, Int64(column.compressedSize))
            guard let type = primitives[id] else { continue }
            valueCounts.append(field, Int64(column.valueCount))
            nullCounts.append(field, Int64(column.nullCount))
            if let nans = column.nanCount { nanCounts.append(field, Int64(nans)) }
            if let lower = column.lower.flatMap({ IcebergTypes.literal($0, type) }) {
                lowerBounds.append(field, lower.singleValueBytes)
            }
            if let upper = column.upper.flatMap({ IcebergTypes.literal($0, type) }) {
                upperBounds.append(field, upper.singleValueBytes)
            }
        }
    }
}

extension Transform {
    /// A partition value for people, as folder names show it.
    func text(of literal: Literal) -> String {
        switch (self, literal) {
        case (.year, .int(let years)): return String(Int(years) + 1970)
        case (.month, .int(let months)):
            let (year, month) = (Int(months) + 1970 * 12).quotientAndRemainder(dividingBy: 12)
            return "\(year)-\(month < 9 ? "0" : "")\(month + 1)"
        case (.hour, .int(let hours)):
            let (days, rest) = Int(hours).quotientAndRemainder(dividingBy: 24)
            let day = rest < 0 ? days - 1 : days
            let hour = rest < 0 ? rest + 24 : rest
            return "\(CivilFormat.date(Int32(clamping: day)))-\(hour < 10 ? "0" : "")\(hour)"
        default: break
        }
        switch literal {
        case .boolean(let value): return value ? "true" : "false"
        case .int(let value): return String(value)
        case .long(let value), .time(let value), .timestamp(let value), .timestamptz(let value),
            .timestampNanos(let value), .timestamptzNanos(let value):
            return String(value)
        case .float(let value): return String(value)
        case .double(let value): return String(value)
        case .date(let days): return CivilFormat.date(days)
        case .string(let value): return value
        case .uuid(let bytes), .fixed(let bytes), .binary(let bytes):
            return bytes.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case .decimal(let unscaled, let scale):
            let digits = String(unscaled.magnitude)
            let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
            let sign = unscaled < 0 ? "-" : ""
            return scale == 0
                ? sign + padded : "\(sign)\(padded.dropLast(scale)).\(padded.suffix(scale))"
        }
    }
}
