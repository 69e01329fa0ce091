import CLinux
import Diagnostics
import Glibc

/// A call to the operating system that failed, with what was tried and on what.
package struct PlatformError: Fault {
    /// What kind of failure; everything that callers tell apart.
    package enum Code: String, Sendable {
        case notFound = "platform.not_found"
        case alreadyExists = "platform.already_exists"
        case permission = "platform.permission"
        case noSpace = "platform.no_space"
        case tooManyOpenFiles = "platform.too_many_open_files"
        case notADirectory = "platform.not_a_directory"
        case directoryNotEmpty = "platform.directory_not_empty"
        case readOnly = "platform.read_only"
        case locked = "platform.locked"
        case addressInUse = "platform.address_in_use"
        case connectionRefused = "platform.connection_refused"
        case disconnected = "platform.disconnected"
        case timedOut = "platform.timed_out"
        case invalidArgument = "platform.invalid_argument"
        case truncated = "platform.truncated"
        case io = "platform.io"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    /// The system's number; 0 when the failure is not the system's.
    package let systemCode: Int32

    package init(code: Code, message: String, hint: String? = nil, systemCode: Int32 = 0) {
        self.code = code
        self.message = message
        self.hint = hint
        self.systemCode = systemCode
    }

    /// Wraps an `errno`: `action` in words ("open"), `subject` the path or address.
    package init(errno number: Int32, _ action: String, _ subject: String) {
        let kind = Self.kind(of: number)
        let reason = String(cString: cl_error_text(number))
        self.init(
            code: kind, message: "cannot \(action) \(subject): \(reason.lowercased())",
            hint: Self.hint(for: kind), systemCode: number)
    }

    /// A file that holds more than its reader takes.
    init(past limit: Int, of path: String) {
        self.init(
            code: .invalidArgument, message: "the file is larger than \(limit) bytes: \(path)")
    }

    private static func kind(of number: Int32) -> Code {
        switch number {
        case ENOENT: .notFound
        case EEXIST: .alreadyExists
        case EACCES, EPERM: .permission
        case ENOSPC, EDQUOT: .noSpace
        case EMFILE, ENFILE: .tooManyOpenFiles
        case ENOTDIR: .notADirectory
        case ENOTEMPTY: .directoryNotEmpty
        case EROFS: .readOnly
        case EWOULDBLOCK: .locked
        case EADDRINUSE: .addressInUse
        case ECONNREFUSED: .connectionRefused
        case EPIPE, ECONNRESET, ENOTCONN, ESHUTDOWN: .disconnected
        case ETIMEDOUT: .timedOut
        case EINVAL, ENAMETOOLONG, EADDRNOTAVAIL, EAFNOSUPPORT: .invalidArgument
        default: .io
        }
    }

    private static func hint(for code: Code) -> String? {
        switch code {
        case .permission: "check the owner and the mode; the process runs as user \(geteuid())"
        case .noSpace: "free some disk space or move the data directory to a larger disk"
        case .tooManyOpenFiles: "raise the limit of open files (ulimit -n)"
        case .readOnly: "the file system is mounted read-only"
        default: nil
        }
    }
}
