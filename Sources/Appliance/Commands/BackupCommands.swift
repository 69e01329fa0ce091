import Platform

/// `lakehouse backup`, `lakehouse restore`, `lakehouse open`.
enum BackupCommands {
    static let all = [
        backup.command(
            "backup", arguments: arguments,
            "copies everything into one file, also while a server runs", example: example),
        restore, OpenCommand.command,
    ]
    static let inside = backup.inside("backup", arguments: arguments, example: example)

    private static let arguments = "FILE"
    private static let example = "lakehouse backup tuesday.lhz --since monday.lhz"

    /// Where earlier backups are; for `restore` and `open`.
    static let from = CommandOption(
        "from", value: "FILE",
        "an earlier backup that it builds on, when it is not beside it; repeatable")

    private static let backup = DataWork(
        options: [
            CommandOption(
                "since", value: "FILE",
                "leaves out what this earlier backup has; restoring needs both"),
            CommandOption(
                "with-keys",
                "includes master.key, which unseals the S3 secrets, and all of tls/ with the private key "
                    + "of the certificate authority: whoever has the file has those"),
            Progress.option,
        ], pathOptions: ["since"]
    ) { appliance, parsed, streams in
        let path = try parsed.required(0, "FILE")
        let report = try BackupMaker(
            appliance, path: path, earlier: parsed["since"], withKeys: parsed.has("with-keys")
        ).run { Progress(total: $0, isShown: parsed.has(Progress.option.name), streams) }
        let kept = report.blobCount - report.copiedBlobCount
        streams.write(
            "\(path): \(Progress.size(report.archiveBytes)), \(report.databaseCount) databases, "
                + "\(report.copiedBlobCount) blobs of \(Progress.size(report.copiedBytes))"
                + (parsed["since"] == nil ? "" : ", \(kept) in earlier backups")
                + ", \(report.declaredCount) declared files\n")
        return 0
    }

    private static let restore = Command(
        "restore", arguments: "FILE", "unpacks a backup into a new data directory",
        options: [from, Progress.option],
        example: "lakehouse restore monday.lhz --data ./restored",
        place: .here { parsed, streams in
            let target = try CommandLine.configuration(parsed).text("data")
            let report = try unpack(parsed, into: target, streams)
            streams.write(
                "\(report.fileCount) files, \(report.blobCount) of them blobs, out of "
                    + (report.archiveCount == 1 ? "1 backup" : "\(report.archiveCount) backups")
                    + " into \(target)\n")
            for note in notes(report) { streams.write(note + "\n") }
            return 0
        })

    /// What the next start of a restored directory makes anew.
    static func notes(_ report: BackupRestore.Report) -> [String] {
        var notes: [String] = []
        if !report.hasKeys {
            notes.append(
                "the backup holds no master.key: the next start makes a new one; S3 keys and the "
                    + "secrets of catalogs have to be given anew (lakehouse key create)")
        }
        if !report.hasCertificates {
            notes.append(
                "the backup holds no certificates: the next start makes a new authority, which whoever "
                    + "trusted the former one has to trust anew (lakehouse tls trust)")
        }
        return notes
    }

    /// Unpacks what was named at the command line; `check` may throw in between.
    static func unpack(
        _ parsed: ParsedArguments, into target: String, _ streams: any CommandStreams,
        check: @escaping () throws -> Void = {}
    ) throws -> BackupRestore.Report {
        try BackupRestore(
            path: DataWork.absolute(parsed.required(0, "FILE")),
            earlier: parsed.values("from"), target: target, check: check
        ).run {
            Progress(
                total: $0,
                isShown: parsed.has(Progress.option.name) || Terminal.isInteractive(.error),
                streams)
        }
    }
}
