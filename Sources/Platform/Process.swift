import CLinux
import Glibc

/// The process itself.
package enum Process {
    /// Ends at once with the code. Whatever has to be closed was closed before.
    package static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

    /// From now on this process is asked to end when the one that started it has ended.
    package static func endWithParent(_ parent: Int32) {
        _ = cl_end_with_parent(SIGTERM)
        // It may have ended before it was asked for.
        if getppid() != parent { _ = kill(getpid(), SIGTERM) }
    }
}
