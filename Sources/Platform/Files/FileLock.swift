import CLinux
import Glibc
import Synchronization

/// The exclusive lock of a data directory: held by one process, released by the kernel when it dies.
///
/// The file keeps the holder's process id, so that a second one can say who is there.
package final class FileLock: Sendable {
    /// -1 once it is released.
    private let descriptor: Atomic<Int32>
    package let path: String

    /// Takes the lock, or throws `.locked` with the holder's id in the message.
    package init(path: String) throws(PlatformError) {
        let opened = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, mode_t(0o600))
        guard opened >= 0 else { throw PlatformError(errno: errno, "open the lock", path) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            let holder = Self.holder(of: opened)
            Glibc.close(opened)
            guard number == EWOULDBLOCK else { throw PlatformError(errno: number, "lock", path) }
            throw PlatformError(
                code: .locked,
                message: holder.map { "already in use by process \($0): \(path)" }
                    ?? "already in use by another process: \(path)",
                hint: holder.map { "stop it (kill \($0)) or choose another data directory" }
                    ?? "stop it or choose another data directory",
                systemCode: number)
        }
        // Only for people; the lock itself is the kernel's.
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(opened, 0) == 0 { _ = pwrite(opened, text, text.count, 0) }
        descriptor = Atomic(opened)
        self.path = path
    }

    deinit { release() }

    /// Lets go of the lock now; harmless when that was done before.
    package func release() {
        let held = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        if held >= 0 { Glibc.close(held) }
    }

    /// The process id in a lock file, if another process holds the lock now.
    package static func holder(path: String) -> Int32? {
        let opened = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { return nil }
        defer { Glibc.close(opened) }
        if flock(opened, LOCK_SH | LOCK_NB) == 0 { return nil }
        return holder(of: opened)
    }

    private static func holder(of descriptor: Int32) -> Int32? {
        var text = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &text, text.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: text[..<count].prefix { $0 != 0x0A }, as: UTF8.self))
    }
}
