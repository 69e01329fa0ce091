import Synchronization

/// What each service says of itself.
package final class HealthRegistry: Sendable {
    /// How a part is: well, not ready, or failing with its reason.
    package enum Status: Sendable, Hashable {
        case starting
        case ready
        case draining
        case stopped
        /// Works no more, or not yet again; why, in words.
        case failed(String)

        package var word: String {
            switch self {
            case .starting: "starting"
            case .ready: "ready"
            case .draining: "draining"
            case .stopped: "stopped"
            case .failed: "failed"
            }
        }
    }

    /// One line of the report.
    package struct Component: Sendable, Hashable {
        package let name: String
        package let status: Status
    }

    private let components = Mutex<[Component]>([])

    package init() {}

    /// Sets the status; a new name goes to the end.
    package func set(_ name: String, _ status: Status) {
        components.withLock { components in
            if let index = components.firstIndex(where: { $0.name == name }) {
                components[index] = Component(name: name, status: status)
            } else {
                components.append(Component(name: name, status: status))
            }
        }
    }

    /// Every component in the order of the start.
    package var report: [Component] { components.withLock { $0 } }

    /// Whether there are components and all are ready.
    package var isReady: Bool {
        components.withLock { !$0.isEmpty && $0.allSatisfy { $0.status == .ready } }
    }
}
