/// A failure somebody can act on: what went wrong, in words, and what to do next.
package protocol Fault: Error, CustomStringConvertible, Sendable {
    associatedtype Code: RawRepresentable<String> & Sendable
    /// Stable, dotted, documented: clients match on it. Never reused.
    var code: Code { get }
    /// One sentence, lower case, the runtime values last.
    var message: String { get }
    /// The next step for the person reading it, if there is one.
    var hint: String? { get }
    /// The fault of the layer below, if this one wraps it.
    var cause: (any Error)? { get }
}

extension Fault {
    package var cause: (any Error)? { nil }

    package var description: String {
        var text = "\(message) [\(code.rawValue)]"
        if let hint { text += "; hint: \(hint)" }
        if let cause { text += "; cause: \(cause)" }
        return text
    }

    /// The code as text, for logs and wires that do not know the module's enumeration.
    package var codeText: String { code.rawValue }
}

/// Stops the process when a promise of our own is broken; startup recovers.
///
/// Never for what a person, a client or a file could cause: those are faults.
@inlinable
package func invariant(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> StaticString,
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition() { preconditionFailure("\(message())", file: file, line: line) }
}
