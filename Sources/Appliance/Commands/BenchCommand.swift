import CivilTime
import JSON
import Platform
import QueryAPI
import SQLEngine
import TPCH
import Vectors

/// `lakehouse bench tpch`: how fast this machine answers the 22 queries of TPC-H, with DuckDB beside it.
enum BenchCommands {
    static let all = [tpch]

    private static let tpch = Command(
        "bench tpch",
        "runs the 22 queries of TPC-H over Parquet files, beside DuckDB where it is installed",
        options: [
            CommandOption("scale", value: "N", "1 is about 1 GB of text (default 1; 0.01 to 100)"),
            CommandOption(
                "runs", value: "N", "how often each query runs; the best counts (default 3)"),
            CommandOption("queries", value: "LIST", "only these, such as q01,q06"),
            CommandOption("files", value: "DIR", "keeps the files there, and uses those it finds"),
            CommandOption("threads", value: "N", "worker threads of both (default one a core)"),
            CommandOption(
                "memory-limit", value: "SIZE", "memory of both for a query, such as 2GiB"),
            CommandOption(
                "duckdb", value: "PATH",
                "the duckdb program or a Python with its module; `none` leaves it out"),
            Listing.json,
        ],
        notes: """
            The tables are made here, to the letter those of the TPC-H generator, and written as Parquet.
            Without --files they go to a temporary folder and away again at the end. Both engines run in
            one process each, read the same files, and fetch every row of every answer.
            """,
        example: "lakehouse bench tpch --scale 1", place: .here(run))

    private struct Line {
        var name: String
        var rows: Int
        var wallMilliseconds: Double
        var processorMilliseconds: Double
        var peer: DuckDBPeer.Time?

        var ratio: Double? {
            peer.map { wallMilliseconds / max($0.wallMilliseconds, 0.01) }
        }
    }

    private static func run(_ parsed: ParsedArguments, _ streams: any CommandStreams) throws
        -> Int32
    {
        try Processor.require()
        Signals.ignoreBrokenPipes()
        let scale = try scale(parsed)
        let runs = try parsed.count("runs", limit: 1000) ?? 3
        let threads = try parsed.count("threads", limit: 1024)
        let limit = try memoryLimit(parsed)
        let queries = try queries(parsed)
        let files = LocalFileSystem()
        let work = try files.makeTemporaryDirectory(prefix: "lakehouse-bench")
        defer { try? files.removeTree(work) }
        let peer =
            parsed["duckdb"] == "none"
            ? nil : try DuckDBPeer(parsed["duckdb"], workFolder: work)

        let tables = BenchFiles(
            folder: (parsed["files"] ?? work) + "/tpch-sf\(parsed["scale"] ?? "1")", scale: scale)
        try tables.make { streams.complain("making \($0.rawValue) …\n") }

        var lines = try ours(
            queries, tables, runs: runs, threads: threads, limit: limit, work: work)
        if let peer {
            streams.complain("the same with DuckDB \(peer.version) …\n")
            let times = try peer.run(
                queries,
                tables: BenchFiles.tables.map { ($0.rawValue, tables.path($0)) },
                runs: runs, threads: threads, memoryLimit: limit, workFolder: work)
            for index in lines.indices { lines[index].peer = times[index] }
        }
        streams.write(
            parsed.has("json")
                ? json(lines, scale, peer) : text(lines, scale, runs: runs, peer))
        return 0
    }

    // MARK: - Arguments

    private static func scale(_ parsed: ParsedArguments) throws -> Double {
        guard let text = parsed["scale"] else { return 1 }
        guard let scale = Double(text), scale >= 0.01, scale <= 100 else {
            throw ApplianceError(.usage, "--scale wants a number from 0.01 to 100: \(text)")
        }
        return scale
    }

    private static func memoryLimit(_ parsed: ParsedArguments) throws -> Int? {
        guard let text = parsed["memory-limit"] else { return nil }
        guard let size = parseSize(text), size >= 16 << 20, size <= 1 << 50 else {
            throw ApplianceError(
                .usage, "--memory-limit wants at least 16MiB: \(text)", hint: "such as 2GiB")
        }
        return Int(size)
    }

    private static func queries(
        _ parsed: ParsedArguments
    ) throws -> [(name: String, text: String)] {
        guard let list = parsed["queries"] else { return TPCHQueries.all }
        return try list.split(separator: ",").map { wanted in
            guard let query = TPCHQueries.all.first(where: { $0.name == wanted.lowercased() })
            else {
                throw ApplianceError(
                    .usage, "no such query: \(wanted)", hint: "they are q01 to q22")
            }
            return query
        }
    }

    // MARK: - Running

    private static func ours(
        _ queries: [(name: String, text: String)], _ files: BenchFiles, runs: Int, threads: Int?,
        limit: Int?, work: String
    ) throws -> [Line] {
        var configuration = QueryEngineConfiguration(spillDirectory: work)
        configuration.threadCount = threads ?? 0
        configuration.memoryLimitBytes = limit ?? 0
        let zones = TimeZones(load: loadZone)
        let engine = QueryEngine(
            configuration, catalog: nil, store: nil, authorizer: OpenAuthorizer(),
            tables: try CommandLineTables.open(
                files.paths, budget: MemoryBudget(limitBytes: 256 << 20)), zones: zones)
        return try queries.map { query in
            var line = Line(
                name: query.name, rows: 0, wallMilliseconds: .infinity, processorMilliseconds: 0)
            for _ in 0..<runs {
                let processor = ProcessUsage.current().processorTime
                let begin = SystemMonotonicClock().now()
                line.rows = try rowCount(engine, zones, query.text)
                let wall = milliseconds(SystemMonotonicClock().now() - begin)
                if wall < line.wallMilliseconds {
                    line.wallMilliseconds = wall
                    line.processorMilliseconds = milliseconds(
                        ProcessUsage.current().processorTime - processor)
                }
            }
            return line
        }
    }

    /// Runs a query to its last row.
    private static func rowCount(
        _ engine: QueryEngine, _ zones: TimeZones, _ sql: String
    ) throws -> Int {
        let session = QuerySession(
            catalog: CommandLineTables.catalog, schema: CommandLineTables.schema)
        let query = try engine.submit(
            sql, session: session, context: commandContext(), encoder: TrinoEncoder(zones: zones))
        while true {
            let (_, snapshot) = query.nextPage(patience: .seconds(5))
            if let fault = snapshot.fault { throw fault }
            if snapshot.state.isDone, !snapshot.hasPages {
                return Int(snapshot.statistics.outputRows)
            }
        }
    }

    private static func milliseconds(_ duration: Duration) -> Double {
        Double(duration.wholeNanoseconds) / 1e6
    }

    // MARK: - Results

    /// The geometric mean: what leaves a product of 1 when each is divided by it.
    private static func mean(_ ratios: [Double]) -> Double? {
        guard var low = ratios.min(), var high = ratios.max() else { return nil }
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if ratios.reduce(1, { $0 * $1 / middle }) > 1 { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    private static func text(
        _ lines: [Line], _ scale: Double, runs: Int, _ peer: DuckDBPeer?
    ) -> String {
        var head = ["query", "rows", "wall ms", "CPU ms"]
        if peer != nil { head += ["DuckDB wall ms", "DuckDB CPU ms", "ratio"] }
        var rows = [head]
        for line in lines {
            var row = [
                line.name, "\(line.rows)", fixed(line.wallMilliseconds, 1),
                fixed(line.processorMilliseconds, 0),
            ]
            if peer != nil {
                row += [
                    line.peer.map { fixed($0.wallMilliseconds, 1) } ?? "failed",
                    line.peer.map { fixed($0.processorMilliseconds, 0) } ?? "",
                    line.ratio.map { fixed($0, 2) } ?? "",
                ]
            }
            rows.append(row)
        }
        let total = lines.reduce(0) { $0 + $1.wallMilliseconds }
        var text = "TPC-H at scale \(fixed(scale, 2)), best of \(runs):\n\n" + aligned(rows) + "\n"
        text += "all \(lines.count) queries: \(fixed(total, 0)) ms"
        if let peer {
            let ratios = lines.compactMap(\.ratio)
            let theirs = lines.compactMap { $0.peer?.wallMilliseconds }.reduce(0, +)
            text += ", DuckDB \(peer.version): \(fixed(theirs, 0)) ms"
            if let mean = mean(ratios) {
                text +=
                    "\ngeometric mean of the ratios \(fixed(mean, 2)), worst "
                    + "\(fixed(ratios.max() ?? 0, 2)); below 1 this engine is the faster one"
            }
        } else {
            text += "\nDuckDB is not installed, or was left out: --duckdb PATH names it"
        }
        return text + "\n"
    }

    private static func aligned(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let pad = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + pad : pad + cell
            }.joined(separator: "  ") + "\n"
        }.joined()
    }

    private static func json(_ lines: [Line], _ scale: Double, _ peer: DuckDBPeer?) -> String {
        let queries = lines.map { line -> JSONValue in
            .object([
                ("query", .string(line.name)), ("rows", number(Double(line.rows))),
                ("wallMilliseconds", number(line.wallMilliseconds)),
                ("processorMilliseconds", number(line.processorMilliseconds)),
                ("duckdbWallMilliseconds", line.peer.map { number($0.wallMilliseconds) } ?? .null),
                (
                    "duckdbProcessorMilliseconds",
                    line.peer.map { number($0.processorMilliseconds) } ?? .null
                ),
                ("ratio", line.ratio.map { number($0) } ?? .null),
            ])
        }
        let value: JSONValue = .object([
            ("benchmark", .string("tpch")), ("scale", number(scale)),
            ("duckdb", peer.map { .string($0.version) } ?? .null),
            ("geometricMean", mean(lines.compactMap(\.ratio)).map { number($0) } ?? .null),
            ("queries", .array(queries)),
        ])
        return value.encodedText() + "\n"
    }

    private static func number(_ value: Double) -> JSONValue {
        .number(JSONNumber(text: fixed(value, 3)))
    }

    /// A number with so many digits after the point.
    private static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "–" }
        let factor = [1.0, 10, 100, 1000][min(digits, 3)]
        let scaled = Int64((abs(value) * factor).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        let whole = scaled / Int64(factor)
        if digits == 0 { return "\(sign)\(whole)" }
        let rest = String(scaled % Int64(factor))
        return "\(sign)\(whole)." + String(repeating: "0", count: digits - rest.count) + rest
    }
}
