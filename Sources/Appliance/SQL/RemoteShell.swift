import Bytes
import JSON
import Platform

/// Runs statements on another machine's server and prints their results.
final class RemoteShell: PromptShell {
    private let client: TrinoClient
    private let streams: any CommandStreams
    var format: SQLShell.Format
    var showsTiming: Bool
    private let showsProgress: Bool

    init(
        _ client: TrinoClient, format: SQLShell.Format, showsTiming: Bool, showsProgress: Bool,
        streams: any CommandStreams
    ) {
        self.client = client
        self.format = format
        self.showsTiming = showsTiming
        self.showsProgress = showsProgress
        self.streams = streams
    }

    /// Runs every statement of a text; stops at the first that fails. Whether all went well.
    func run(script: String) throws -> Bool {
        for statement in SQLShell.statements(of: script) {
            guard try run(statement: statement) else { return false }
        }
        return true
    }

    func listing(_ sql: String) -> [String] {
        var names: [String] = []
        let outcome = try? client.run(
            sql, rows: { rows, _ in names += ResultTable.firstCells(.array(rows)) },
            progress: { _ in })
        return outcome == nil ? [] : names
    }

    private func run(statement: String) throws -> Bool {
        let begin = SystemMonotonicClock().now()
        var table = ResultTable(format: format)
        var drewProgress = false
        func clear() {
            if drewProgress { streams.complain("\r\u{1B}[K") }
            drewProgress = false
        }
        do {
            let outcome = try client.run(
                statement,
                rows: { rows, columns in
                    clear()
                    table.add(rows, columns.map(\.shown), streams)
                },
                progress: { progress in
                    guard showsProgress else { return }
                    let seconds = Int((SystemMonotonicClock().now() - begin).fractionalSeconds)
                    streams.complain(
                        "\r\u{1B}[K\(progress.state.lowercased()), "
                            + "\(progress.completedSplits)/\(progress.totalSplits) splits, "
                            + "\(progress.processedRows) rows, \(seconds) s")
                    drewProgress = true
                })
            clear()
            finish(outcome, &table, since: begin)
            return true
        } catch let failure as QueryFailure {
            clear()
            streams.complain(failure.text(in: statement))
            return false
        }
    }

    private func finish(
        _ outcome: TrinoClient.Outcome, _ table: inout ResultTable, since begin: MonotonicInstant
    ) {
        let isUpdate = outcome.updateType != nil
        if !isUpdate || format != .table {
            table.end(outcome.columns.map(\.shown), streams)
        }
        for warning in outcome.warnings { streams.complain("warning: \(warning)\n") }
        guard format == .table else { return }
        if let type = outcome.updateType {
            streams.write(outcome.updateCount.map { "\(type): \($0) rows\n" } ?? "\(type)\n")
        }
        ResultTable.note(
            rows: isUpdate ? nil : table.rowCount,
            elapsed: showsTiming ? SystemMonotonicClock().now() - begin : nil, streams)
    }
}

extension TrinoClient.Column {
    fileprivate var shown: ResultTable.Column {
        ResultTable.Column(name: name, isNumeric: isNumeric)
    }
}

/// `lakehouse sql --server URL`.
enum RemoteSQL {
    static let options = [
        CommandOption(
            "server", value: "URL", "runs on this server (a lakehouse or any Trino), by TLS"),
        CommandOption("user", value: "NAME", "who asks there (default: this machine's user name)"),
        CommandOption(
            "password-file", value: "FILE", "a file with the password; - for standard input"),
        CommandOption("ca", value: "FILE", "the authority of the server's certificate (PEM)"),
        CommandOption("insecure", "allows plain HTTP to another machine"),
    ]

    /// Runs the script on the server, or what is typed when there is none.
    static func run(
        _ parsed: ParsedArguments, server: String, _ script: String?,
        _ streams: any CommandStreams
    ) throws -> Int32 {
        guard parsed.positional.isEmpty else {
            throw ApplianceError(
                .usage, "a server does not see files of this machine: \(parsed.positional[0])",
                hint: "leave out --server, or the files")
        }
        let address = try ServerAddress(server)
        let (user, authorization) = try credential(parsed, streams)
        let connection = try address.connection(
            authorityPath: parsed["ca"], allowsPlain: parsed.has("insecure"))
        let client = TrinoClient(
            connection, prefix: address.prefix, user: user, authorization: authorization,
            catalog: parsed["catalog"] ?? (parsed["schema"] == nil ? nil : "lakehouse"),
            schema: parsed["schema"])
        let isInteractive = Terminal.isInteractive(.output)
        let pager = script == nil && isInteractive ? PagedStreams(streams) : nil
        let shell = RemoteShell(
            client, format: SQLCommand.format(parsed),
            showsTiming: parsed.has("timing") || isInteractive,
            showsProgress: isInteractive && Terminal.isInteractive(.error),
            streams: pager ?? streams)
        if let script { return try shell.run(script: script) ? 0 : 1 }
        return try SQLPrompt(streams, pager: pager).loop(shell)
    }

    /// Who asks, and the value of `Authorization`.
    private static func credential(
        _ parsed: ParsedArguments, _ streams: any CommandStreams
    ) throws -> (user: String?, authorization: String?) {
        if let source = parsed["password-file"] {
            guard let user = parsed["user"] else {
                throw ApplianceError(
                    .usage, "a password is somebody's: --user NAME is missing", hint: "see --help")
            }
            let password = try password(source, streams)
            return (user, "Basic " + base64Text(Array("\(user):\(password)".utf8)))
        }
        if let token = Environment.value("LAKEHOUSE_TOKEN"), !token.isEmpty {
            guard token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw ApplianceError(.usage, "LAKEHOUSE_TOKEN is not a token")
            }
            return (parsed["user"], "Bearer " + token)
        }
        return (
            parsed["user"] ?? Environment.value("USER") ?? Environment.value("LOGNAME")
                ?? "lakehouse", nil
        )
    }

    private static func password(
        _ source: String, _ streams: any CommandStreams
    ) throws -> String {
        let bytes =
            source == "-"
            ? try streams.readInput() : try readSecretFile(source, option: "password-file")
        var text = String(decoding: bytes, as: UTF8.self)
        while let last = text.last, last.isNewline { text.removeLast() }
        guard !text.isEmpty else {
            throw ApplianceError(.usage, "there is no password in \(source)")
        }
        return text
    }
}
