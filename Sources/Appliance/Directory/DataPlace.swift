import Diagnostics
import Platform

/// Finds the lakehouse that somebody means by a directory's name.
enum DataPlace {
    /// Whether a lakehouse was made there.
    static func holdsLakehouse(_ path: String) -> Bool {
        (try? LocalFileSystem().exists(path + "/FORMAT")) ?? false
    }

    /// Where a walkthrough that was given this directory left its lakehouse; nil when the directory is one
    /// itself, or none.
    static func leftByWalkthrough(in path: String) -> String? {
        let inner = path + "/lake"
        return !holdsLakehouse(path) && holdsLakehouse(inner) ? inner : nil
    }

    /// Throws `.noLakehouse` where none was made, with the one next door that was probably meant.
    static func require(_ path: String) throws(ApplianceError) {
        if holdsLakehouse(path) { return }
        try DataDirectory.requireNoDatabases(path)
        let near = neighbour(of: path).map { "did you mean --data \($0)? " } ?? ""
        throw ApplianceError(
            .noLakehouse, "there is no lakehouse at \(path)",
            hint: near + "`lakehouse serve --data \(path)` makes one and serves it, "
                + "`lakehouse init --data \(path)` only makes it")
    }

    private static func neighbour(of path: String) -> String? {
        var name = path
        while name.count > 1, name.hasSuffix("/") { name.removeLast() }
        let slash = name.lastIndex(of: "/")
        let parent = slash.map { String(name[...$0]) } ?? ""
        let last = slash.map { String(name[name.index(after: $0)...]) } ?? name
        let names = (try? LocalFileSystem().list(parent.isEmpty ? "." : parent)) ?? []
        let lakehouses = names.sorted().filter { holdsLakehouse(parent + $0) }
        return nearestName(to: last, among: lakehouses).map { parent + $0 }
    }
}

extension Appliance {
    /// Opens the directory for one verb; only those that set up a lakehouse may make it.
    static func opening(
        _ configuration: ApplianceConfiguration, _ command: Command? = nil
    ) throws -> Appliance {
        if command?.makesDirectory != true { try DataPlace.require(configuration.text("data")) }
        return try Appliance(configuration)
    }
}

/// `lakehouse init`.
enum InitCommand {
    static let command = Command(
        "init", "makes the data directory without serving it; fine if it exists",
        options: [Listing.json], example: "lakehouse init --data ./lakehouse-data",
        makesDirectory: true,
        place: .appliance { appliance, parsed, streams in
            let directory = appliance.directory
            Provisioned(
                id: directory.path, name: directory.path, isNew: directory.isNew, added: []
            ).print(asJSON: parsed.has("json"), streams)
            return 0
        })
}
