import Synchronization

/// How clients reach the doors: known from the configuration, and exactly once ports are bound.
package final class PublishedAddresses: Sendable {
    private struct Ports {
        var console: Int
        var s3: Int
    }
    private let ports: Mutex<Ports>
    private let given: String
    private let host: String

    init(_ configuration: ApplianceConfiguration) {
        given = configuration.text("public-url")
        let listen = configuration.text("listen")
        host =
            ["127.0.0.1", "0.0.0.0", "::1", "::", "localhost"].contains(listen)
            ? "localhost" : listen
        ports = Mutex(
            Ports(
                console: configuration.integer("ports.console"),
                s3: configuration.integer("ports.s3")))
    }

    func bound(console: Int, s3: Int) { ports.withLock { $0 = Ports(console: console, s3: s3) } }

    package var consolePort: Int { ports.withLock { $0.console } }
    package var s3Port: Int { ports.withLock { $0.s3 } }
    package var hostName: String { host }

    /// Without a slash at its end.
    package var publicURL: String {
        if given.isEmpty { return "http://\(host):\(consolePort)" }
        return given.hasSuffix("/") ? String(given.dropLast()) : given
    }
    package var s3URL: String { "http://\(host):\(s3Port)" }
}
