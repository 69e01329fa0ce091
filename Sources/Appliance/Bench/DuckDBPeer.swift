import JSON
import Platform

/// DuckDB, where it is installed: its program, or a Python that has its module.
struct DuckDBPeer {
    private enum Kind { case program, python }
    private let kind: Kind
    private let path: String
    let version: String

    /// Times of one query.
    struct Time {
        var wallMilliseconds: Double
        var processorMilliseconds: Double
    }

    /// Finds it: `wanted` is a path, or what `PATH` has; nil when there is none. A path that is none is
    /// a fault.
    init?(_ wanted: String?, workFolder: String) throws {
        if let wanted {
            guard let found = try DuckDBPeer(trying: wanted, workFolder) else {
                throw ApplianceError(
                    .usage, "this is no DuckDB: \(wanted)",
                    hint: "name the duckdb program, or a Python that can import duckdb")
            }
            self = found
            return
        }
        let folders = (Environment.value("PATH") ?? "").split(separator: ":").map(String.init)
        for name in ["duckdb", "python3"] {
            for folder in folders where !folder.isEmpty {
                let path = "\(folder)/\(name)"
                if (try? LocalFileSystem().exists(path)) == true,
                    let found = try DuckDBPeer(trying: path, workFolder)
                {
                    self = found
                    return
                }
            }
        }
        return nil
    }

    private init?(trying path: String, _ workFolder: String) throws {
        guard try LocalFileSystem().exists(path) else { return nil }
        let isPython = lastPathComponent(of: path).hasPrefix("python")
        kind = isPython ? .python : .program
        self.path = path
        let arguments =
            isPython ? ["-c", "import duckdb; print(duckdb.__version__)"] : ["--version"]
        let (said, isDone) = try DuckDBPeer.output(path, arguments, workFolder)
        let words = said.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard isDone, let first = words.first else { return nil }
        version = String(first.drop { $0 == "v" })
    }

    /// Runs each query `runs` times over Parquet files, which are tables named after them; gives the best
    /// time of each, nil for those that failed.
    func run(
        _ queries: [(name: String, text: String)], tables: [(name: String, path: String)],
        runs: Int, threads: Int?, memoryLimit: Int?, workFolder: String
    ) throws -> [Time?] {
        let script = "\(workFolder)/peer." + (kind == .python ? "py" : "sql")
        var settings: [String] = []
        if let threads { settings.append("set threads = \(threads)") }
        if let memoryLimit { settings.append("set memory_limit = '\(memoryLimit)B'") }
        settings.append("set temp_directory = '\(quoted(workFolder))/duckdb.tmp'")
        for table in tables {
            settings.append(
                "create view \(table.name) as select * from read_parquet('\(quoted(table.path))')")
        }
        let text =
            kind == .python
            ? pythonScript(settings, queries, runs) : programScript(settings, queries, runs)
        try LocalFileSystem().replaceDurably(script, with: Array(text.utf8))
        let arguments = kind == .python ? [script] : ["-no-init", "-csv", "-f", script]
        let (said, isDone) = try DuckDBPeer.output(path, arguments, workFolder)
        guard isDone else {
            let last = said.split(separator: "\n").last.map { ": \($0)" } ?? ""
            throw ApplianceError(
                .failed, "DuckDB failed\(last)",
                hint: "--duckdb none leaves it out; this one is \(path)")
        }
        return times(said, queries.map(\.name), runs)
    }

    private func quoted(_ text: String) -> String {
        String(text.flatMap { $0 == "'" ? ["'", "'"] : [$0] })
    }

    // MARK: - Scripts

    private func programScript(
        _ settings: [String], _ queries: [(name: String, text: String)], _ runs: Int
    ) -> String {
        var lines = settings.map { $0 + ";" } + [".timer on"]
        for query in queries {
            lines.append(".print query \(query.name)")
            for _ in 0..<runs {
                lines += [".output /dev/null", query.text + ";", ".output"]
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func pythonScript(
        _ settings: [String], _ queries: [(name: String, text: String)], _ runs: Int
    ) -> String {
        func list(_ texts: [String]) -> String {
            JSONValue.array(texts.map { .string($0) }).encodedText()
        }
        return """
            import duckdb, time
            connection = duckdb.connect()
            for text in \(list(settings)): connection.execute(text)
            for name, text in zip(\(list(queries.map(\.name))), \(list(queries.map(\.text)))):
                print("query", name)
                for run in range(\(runs)):
                    wall, cpu = time.perf_counter(), time.process_time()
                    try: connection.execute(text).fetchall()
                    except duckdb.Error as error: break
                    print("real", time.perf_counter() - wall, "user", time.process_time() - cpu, "sys 0")

            """
    }

    /// Reads `query NAME`, and after it a line with `real S user S sys S` for each run.
    private func times(_ text: String, _ names: [String], _ runs: Int) -> [Time?] {
        var best: [String: Time] = [:]
        var counts: [String: Int] = [:]
        var name = ""
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 2, words[0] == "query" {
                name = words[1]
                continue
            }
            func seconds(_ word: String) -> Double? {
                guard let place = words.lastIndex(of: word), place + 1 < words.count else {
                    return nil
                }
                return Double(words[place + 1])
            }
            guard let real = seconds("real"), let user = seconds("user"), let sys = seconds("sys")
            else { continue }
            counts[name, default: 0] += 1
            let time = Time(
                wallMilliseconds: real * 1000, processorMilliseconds: (user + sys) * 1000)
            if time.wallMilliseconds < best[name]?.wallMilliseconds ?? .infinity {
                best[name] = time
            }
        }
        return names.map { counts[$0] == runs ? best[$0] : nil }
    }

    /// What a program writes, and whether it went well.
    private static func output(
        _ path: String, _ arguments: [String], _ workFolder: String
    ) throws -> (text: String, isDone: Bool) {
        let files = LocalFileSystem()
        let output = "\(workFolder)/duckdb.out"
        if try files.exists(output) { try files.remove(output) }
        let child = try ChildProcess(path, arguments, output: output)
        let isDone = child.wait() == 0
        guard try files.exists(output) else { return ("", isDone) }
        return (String(decoding: try files.readAll(output), as: UTF8.self), isDone)
    }
}
