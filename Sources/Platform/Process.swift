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

    /// From now on freed memory is used again before it goes back to the system: the next query finds
    /// its pages mapped and cleared. At most 256 MiB a heap wait so. Source: mallopt(3).
    package static func keepFreedMemory() { cl_keep_freed_memory() }

    /// Gives back to the system what is free at this moment. Source: malloc_trim(3).
    package static func returnFreedMemory() { cl_return_freed_memory() }
}
