import Jobs
import Platform
import Quality
import Telemetry

/// Pipelines that are declared at every start: those that the binary carries, and those of a folder.
///
///     pipelines/nightly.yml
///     pipelines/models/mart.sql      what a step names with `file: models/mart.sql`
struct PipelineFolder {
    let path: String
    /// The setting names a folder, so that one that is not there is a mistake.
    let isWanted: Bool

    init(_ configuration: ApplianceConfiguration, directory: String) {
        let given = configuration.text("pipelines")
        isWanted = !given.isEmpty
        path = isWanted ? given : directory + "/pipelines"
    }

    /// The files that declare pipelines, by name, and the texts that their steps may name.
    func read() throws -> (declarations: [(path: String, text: String)], files: [String: String]) {
        let system = LocalFileSystem()
        guard try isWanted || system.exists(path) else { return ([], [:]) }
        let names = try system.list(path).sorted().filter {
            $0.hasSuffix(".yml") || $0.hasSuffix(".yaml")
        }
        return (
            try names.map { ("\(path)/\($0)", try Self.text("\(path)/\($0)")) },
            try Self.texts(in: path)
        )
    }

    /// The files that declare checks, in `checks/` beside the pipelines.
    var checkFolder: CheckFolder {
        let folder = path + "/checks"
        let log = Logger()
        return CheckFolder(
            path: folder,
            files: {
                let system = LocalFileSystem()
                var files: [String: String] = [:]
                for name in (try? system.list(folder)) ?? []
                where name.hasSuffix(".yml") || name.hasSuffix(".yaml") {
                    let status = try? system.status("\(folder)/\(name)")
                    files["\(folder)/\(name)"] = status.map { "\($0)" } ?? ""
                }
                return files
            }, text: { try Self.text($0) },
            note: { problem in
                log.warning(
                    "checks.file_refused",
                    "a file of checks has a mistake; what it declared before stays",
                    ["problem": .string(problem)])
            })
    }

    /// The SQL texts of a folder and of the folders in it, by their path from there.
    static func texts(in folder: String) throws -> [String: String] {
        let system = LocalFileSystem()
        var files: [String: String] = [:]
        for name in try system.list(folder) {
            if name.hasSuffix(".sql") {
                files[name] = try text("\(folder)/\(name)")
            } else if !name.contains(".") {
                // What is no folder has no files.
                for inner in (try? system.list("\(folder)/\(name)")) ?? []
                where inner.hasSuffix(".sql") {
                    files["\(name)/\(inner)"] = try text("\(folder)/\(name)/\(inner)")
                }
            }
        }
        return files
    }

    /// A file's text.
    static func text(_ path: String) throws -> String {
        let bytes = try LocalFileSystem().readAll(path, limit: JobLimits.documentBytes)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ApplianceError(.failed, "the file is not UTF-8: \(path)")
        }
        return text
    }
}
