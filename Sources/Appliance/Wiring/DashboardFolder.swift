import Authority
import Dashboards
import Iceberg
import Platform
import Synchronization
import TableCatalog

/// The dashboards of this moment: those that the binary carries, and the files of `<data>/dashboards`
/// (or of the folder that the setting names), which may change at any time. A file of the folder stands
/// before one of the binary with the same name, and one of a demo is there when its tables are.
final class DashboardFolder: Sendable {
    private let path: String

    private struct State {
        var seen: [String]?
        var library = DashboardLibrary()
    }
    private let state: Mutex<State>

    /// Whether there is a table of that path, whoever may see it.
    private let isThere: @Sendable ([String]) -> Bool

    init(
        _ configuration: ApplianceConfiguration, directory: String,
        isThere: @escaping @Sendable ([String]) -> Bool
    ) {
        self.isThere = isThere
        let given = configuration.text("dashboards")
        path = given.isEmpty ? directory + "/dashboards" : given
        state = Mutex(State())
    }

    /// Reads the files anew when one of them is another. A folder that cannot be read gives the
    /// dashboards of the binary.
    func library() -> DashboardLibrary {
        let seen = fingerprint()
        let standing = state.withLock { state in
            if state.seen != seen {
                state.library = DashboardLibrary.reading(own())
                    .before(EmbeddedDashboards.library)
                state.seen = seen
            }
            return state.library
        }
        // A dashboard of a demo shows nothing but errors where the demo has not run.
        return standing.before(
            EmbeddedDashboards.demos.filter { document in
                standing[document.name] == nil && document.watch.allSatisfy(isThere)
            })
    }

    private var names: [String] {
        let all = (try? LocalFileSystem().list(path)) ?? []
        return all.filter { $0.hasSuffix(".yml") || $0.hasSuffix(".yaml") }
    }

    private func fingerprint() -> [String] {
        names.map { name in
            let status = try? LocalFileSystem().status("\(path)/\(name)")
            return "\(name) \(status.map { "\($0)" } ?? "")"
        }
    }

    private func own() -> [(path: String, text: String)] {
        names.compactMap { name in
            guard let bytes = try? LocalFileSystem().readAll("\(path)/\(name)", limit: 1 << 20)
            else { return nil }
            return ("dashboards/\(name)", String(decoding: bytes, as: UTF8.self))
        }
    }
}

extension Catalog {
    /// Whether there is a table of that path on main, whoever asks.
    func isThere(_ path: [String]) -> Bool {
        guard path.count > 2, let warehouse = path.first, let name = path.last else { return false }
        let context = RequestContext(principal: .system, requestID: "dashboards", door: .event)
        let found = try? tableExists(
            context, CatalogReference(parsing: warehouse),
            TableIdentifier(namespace: Array(path[1..<(path.count - 1)]), name: name))
        return found ?? false
    }
}
