import Dashboards
import Platform
import Synchronization

/// The dashboards of this moment: those that the binary carries, and the files of `<data>/dashboards`
/// (or of the folder that the setting names), which may change at any time. A file of the folder stands
/// before one of the binary with the same name.
final class DashboardFolder: Sendable {
    private let path: String

    private struct State {
        var seen: [String]?
        var library = DashboardLibrary()
    }
    private let state: Mutex<State>

    init(_ configuration: ApplianceConfiguration, directory: String) {
        let given = configuration.text("dashboards")
        path = given.isEmpty ? directory + "/dashboards" : given
        state = Mutex(State())
    }

    /// Reads the files anew when one of them is another. A folder that cannot be read gives the
    /// dashboards of the binary.
    func library() -> DashboardLibrary {
        let seen = fingerprint()
        return state.withLock { state in
            if state.seen != seen {
                state.library = DashboardLibrary.reading(own())
                    .before(EmbeddedDashboards.library)
                state.seen = seen
            }
            return state.library
        }
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
