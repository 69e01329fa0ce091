package import Platform

/// Something that lives as long as the appliance and has an orderly end.
package protocol Service: AnyObject, Sendable {
    /// Lower case, one word or two: "http", "object store". Occurs in logs and in `/readyz`.
    var name: String { get }

    /// Returns when the service works. Throws a fault that says what to do about it; then the service has
    /// left nothing running.
    func start() throws

    /// Takes nothing new, finishes what was begun, flushes; returns at the deadline at the latest.
    func drain(until deadline: MonotonicInstant)

    /// Ends at once whatever still runs, and releases everything. Called once after a good `start`.
    func stop()
}

extension Service {
    package func drain(until deadline: MonotonicInstant) {}
}

/// A service made of two closures, for things that need no type of their own.
package final class SimpleService: Service {
    package let name: String
    private let onStart: @Sendable () throws -> Void
    private let onStop: @Sendable () -> Void

    package init(
        _ name: String, start: @escaping @Sendable () throws -> Void = {},
        stop: @escaping @Sendable () -> Void = {}
    ) {
        self.name = name
        onStart = start
        onStop = stop
    }

    package func start() throws { try onStart() }
    package func stop() { onStop() }
}
