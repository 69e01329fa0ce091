import Glibc

/// The process itself.
package enum Process {
    /// Ends at once with the code. Whatever has to be closed was closed before.
    package static func exit(_ code: Int32) -> Never { Glibc.exit(code) }
}
