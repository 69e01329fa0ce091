import Diagnostics
import CivilTime
import JSON
import SQLEngine
import SQLFunctions

/// Writes `QueryResults`, the JSON document of every answer. Source: `reference/trino-protocol.md`,
/// section 2.
struct ResultsDocument {
    let query: Query
    let snapshot: Query.Snapshot
    let types: ClientTypes
    /// `https://host:port`, as the client reaches us.
    let base: String
    let nextURI: String?
    let page: ResultPage?
    /// The page in the encoding that the client asked for.
    var segments: (encoding: DataEncoding, all: [Segment])?

    func bytes() -> [UInt8] {
        var json = JSONWriter(capacity: (page?.bytes.count ?? 0) + 2048)
        json.beginObject()
        json.member("id", query.id)
        json.member("infoUri", "\(base)/ui/query.html?\(query.id)")
        if let nextURI { json.member("nextUri", nextURI) }
        if let columns = snapshot.columns, snapshot.fault == nil {
            json.member("columns")
            json.beginArray()
            for column in columns {
                json.beginObject()
                json.member("name", column.name)
                json.member("type", types.text(column.type))
                json.member("typeSignature")
                types.writeSignature(column.type, into: &json)
                json.endObject()
            }
            json.endArray()
        }
        if let segments, !segments.all.isEmpty {
            json.member("data")
            json.beginObject()
            json.member("encoding", segments.encoding.rawValue)
            json.member("segments")
            json.beginArray()
            for segment in segments.all { segment.write(into: &json, base: base) }
            json.endArray()
            json.endObject()
        } else if let page, page.rowCount > 0 {
            json.member("data")
            json.raw([0x5B] + page.bytes + [0x5D])
        }
        writeStatistics(into: &json)
        if let fault = snapshot.fault { writeError(fault, into: &json) }
        json.member("warnings")
        json.beginArray()
        for warning in snapshot.warnings {
            json.beginObject()
            json.member("warningCode")
            json.beginObject()
            json.member("code", Int64(1))
            json.member("name", "LAKEHOUSE_NOTE")
            json.endObject()
            json.member("message", warning)
            json.endObject()
        }
        json.endArray()
        if let updateType = snapshot.updateType { json.member("updateType", updateType) }
        if let updateCount = snapshot.updateCount { json.member("updateCount", updateCount) }
        json.endObject()
        return json.bytes
    }

    private func writeStatistics(into json: inout JSONWriter) {
        let numbers = snapshot.statistics
        json.member("stats")
        json.beginObject()
        // A result that waits for its client holds no slot, but to the client the query goes on.
        let isOver = snapshot.state.isDone && nextURI == nil
        let state = snapshot.state == .finished && !isOver ? QueryState.finishing : snapshot.state
        json.member("state", state.rawValue)
        json.member("queued", snapshot.state == .queued)
        json.member("scheduled", snapshot.state != .queued && snapshot.state != .planning)
        if numbers.totalSplits > 0 {
            json.member("progressPercentage")
            json.double(
                min(100, Double(numbers.completedSplits) * 100 / Double(numbers.totalSplits)))
        }
        json.member("nodes", Int64(1))
        json.member("totalSplits", Int64(numbers.totalSplits))
        json.member(
            "queuedSplits",
            Int64(max(0, numbers.totalSplits - numbers.completedSplits - numbers.runningSplits)))
        json.member("runningSplits", Int64(numbers.runningSplits))
        json.member("completedSplits", Int64(numbers.completedSplits))
        json.member("planningTimeMillis", numbers.planningMilliseconds)
        json.member("analysisTimeMillis", numbers.planningMilliseconds)
        json.member("cpuTimeMillis", numbers.cpuMilliseconds)
        json.member("wallTimeMillis", numbers.elapsedMilliseconds)
        json.member("queuedTimeMillis", numbers.queuedMilliseconds)
        json.member("elapsedTimeMillis", numbers.elapsedMilliseconds)
        json.member("finishingTimeMillis", Int64(0))
        json.member("physicalInputTimeMillis", Int64(0))
        json.member("processedRows", numbers.processedRows)
        json.member("processedBytes", numbers.processedBytes)
        json.member("physicalInputBytes", numbers.processedBytes)
        json.member("physicalWrittenBytes", numbers.writtenBytes)
        json.member("internalNetworkInputBytes", Int64(0))
        json.member("peakMemoryBytes", numbers.peakMemoryBytes)
        json.member("spilledBytes", numbers.spilledBytes)
        json.endObject()
    }

    private func writeError(_ fault: QueryFault, into json: inout JSONWriter) {
        let message = TrinoErrors.message(of: fault)
        json.member("error")
        json.beginObject()
        json.member("message", message)
        json.member("errorCode", Int64(fault.code.trino.number))
        json.member("errorName", fault.code.rawValue)
        json.member("errorType", fault.code.trino.category.rawValue)
        writeLocation(fault, into: &json)
        json.member("failureInfo")
        json.beginObject()
        json.member("type", "io.trino.spi.TrinoException")
        json.member("message", message)
        json.member("suppressed")
        json.beginArray()
        json.endArray()
        json.member("stack")
        json.beginArray()
        json.endArray()
        json.member("errorInfo")
        json.beginObject()
        json.member("code", Int64(fault.code.trino.number))
        json.member("name", fault.code.rawValue)
        json.member("type", fault.code.trino.category.rawValue)
        json.endObject()
        writeLocation(fault, into: &json)
        json.endObject()
        json.endObject()
    }

    private func writeLocation(_ fault: QueryFault, into json: inout JSONWriter) {
        guard let span = fault.span else { return }
        json.member("errorLocation")
        json.beginObject()
        json.member("lineNumber", Int64(span.line))
        json.member("columnNumber", Int64(span.column))
        json.endObject()
    }
}
