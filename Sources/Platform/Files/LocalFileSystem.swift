import Glibc
import Synchronization

/// The operating system's files.
package struct LocalFileSystem: FileSystem {
    package init() {}

    package func open(
        _ path: String, _ how: OpenMode, mode: UInt32
    ) throws(PlatformError) -> any File {
        try LocalFile(path, how, mode: mode)
    }

    package func rename(_ source: String, to target: String) throws(PlatformError) {
        if Glibc.rename(source, target) != 0 {
            throw PlatformError(errno: errno, "rename", "\(source) to \(target)")
        }
    }

    package func link(_ source: String, to target: String) throws(PlatformError) {
        if Glibc.link(source, target) != 0 {
            throw PlatformError(errno: errno, "link", "\(source) to \(target)")
        }
    }

    package func remove(_ path: String) throws(PlatformError) {
        if unlink(path) != 0 { throw PlatformError(errno: errno, "remove", path) }
    }

    package func removeDirectory(_ path: String) throws(PlatformError) {
        if rmdir(path) != 0 { throw PlatformError(errno: errno, "remove the directory", path) }
    }

    package func status(_ path: String) throws(PlatformError) -> FileStatus? {
        var raw = stat()
        if lstat(path, &raw) != 0 {
            let number = errno
            if number == ENOENT || number == ENOTDIR { return nil }
            throw PlatformError(errno: number, "look at", path)
        }
        return FileStatus(raw)
    }

    package func list(_ directory: String) throws(PlatformError) -> [String] {
        guard let stream = opendir(directory) else {
            throw PlatformError(errno: errno, "list", directory)
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
            errno = 0
        }
        if errno != 0 { throw PlatformError(errno: errno, "list", directory) }
        return names.sorted()
    }

    package func makeDirectory(_ path: String, mode: UInt32) throws(PlatformError) {
        if mkdir(path, mode_t(mode)) == 0 { return }
        let number = errno
        switch number {
        case EEXIST:
            var raw = stat()
            if stat(path, &raw) == 0, raw.st_mode & S_IFMT == S_IFDIR { return }
            throw PlatformError(errno: ENOTDIR, "make the directory", path)
        case ENOENT:
            let parent = parentDirectory(of: path)
            guard parent != path, parent != "." else {
                throw PlatformError(errno: number, "make the directory", path)
            }
            try makeDirectory(parent, mode: mode)
            if mkdir(path, mode_t(mode)) != 0, errno != EEXIST {
                throw PlatformError(errno: errno, "make the directory", path)
            }
        default: throw PlatformError(errno: number, "make the directory", path)
        }
    }

    package func syncDirectory(_ path: String) throws(PlatformError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw PlatformError(errno: errno, "open the directory", path) }
        defer { Glibc.close(descriptor) }
        if fsync(descriptor) != 0 { throw PlatformError(errno: errno, "sync the directory", path) }
    }

    /// Sets the permission bits of a path.
    package func setMode(_ path: String, _ mode: UInt32) throws(PlatformError) {
        if chmod(path, mode_t(mode)) != 0 {
            throw PlatformError(errno: errno, "change the mode of", path)
        }
    }

    /// The path without symbolic links, from the root.
    package func resolve(_ path: String) throws(PlatformError) -> String {
        guard let resolved = realpath(path, nil) else {
            throw PlatformError(errno: errno, "resolve", path)
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Bytes that this user may still write on the disk that holds the path.
    package func freeBytes(_ path: String) throws(PlatformError) -> Int64 {
        var raw = statvfs()
        guard statvfs(path, &raw) == 0 else {
            throw PlatformError(errno: errno, "look at the disk of", path)
        }
        return Int64(
            clamping: UInt64(raw.f_bavail).multipliedReportingOverflow(by: UInt64(raw.f_frsize))
                .partialValue)
    }

    /// Used and writable bytes of the disk that holds the path, as `df` counts: what is kept for the
    /// administrator is neither.
    package func diskUse(_ path: String) throws(PlatformError) -> (used: Int64, free: Int64) {
        var raw = statvfs()
        guard statvfs(path, &raw) == 0 else {
            throw PlatformError(errno: errno, "look at the disk of", path)
        }
        func bytes(_ blocks: UInt64) -> Int64 {
            Int64(
                clamping: blocks.multipliedReportingOverflow(by: UInt64(raw.f_frsize)).partialValue)
        }
        let taken = UInt64(raw.f_blocks).subtractingReportingOverflow(UInt64(raw.f_bfree))
        return (bytes(taken.overflow ? 0 : taken.partialValue), bytes(UInt64(raw.f_bavail)))
    }

    /// Makes a fresh directory under the system's temporary one, for tests and spills.
    package func makeTemporaryDirectory(prefix: String) throws(PlatformError) -> String {
        let root = Environment.value("TMPDIR") ?? "/tmp"
        var template = Array("\(root)/\(prefix)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw PlatformError(errno: errno, "make a directory in", root)
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension FileStatus {
    fileprivate init(_ raw: stat) {
        let kind: Kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            default: .other
            }
        self.init(
            kind: kind, sizeBytes: Int64(raw.st_size),
            modified: WallTime(
                microseconds: Int64(raw.st_mtim.tv_sec) &* 1_000_000 &+ Int64(raw.st_mtim.tv_nsec)
                    / 1000),
            mode: UInt32(raw.st_mode & 0o7777), inode: UInt64(raw.st_ino))
    }
}

/// One descriptor of the operating system.
package final class LocalFile: File {
    /// The descriptor; -1 when closed.
    private let descriptor: Atomic<Int32>
    private let path: String

    package init(_ path: String, _ how: OpenMode, mode: UInt32 = 0o644) throws(PlatformError) {
        let flags: Int32 =
            switch how {
            case .read: O_RDONLY
            case .update: O_RDWR
            case .updateOrCreate: O_RDWR | O_CREAT
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            case .replace: O_RDWR | O_CREAT | O_TRUNC
            case .append: O_WRONLY | O_CREAT | O_APPEND
            }
        var opened: Int32
        repeat {
            opened = Glibc.open(path, flags | O_CLOEXEC, mode_t(mode))
        } while opened < 0 && errno == EINTR
        guard opened >= 0 else { throw PlatformError(errno: errno, "open", path) }
        descriptor = Atomic(opened)
        self.path = path
    }

    deinit {
        let open = descriptor.load(ordering: .acquiring)
        if open >= 0 { Glibc.close(open) }
    }

    /// The number of the descriptor while the file is open, for sendfile and the like.
    package func rawDescriptor() throws(PlatformError) -> Int32 {
        let open = descriptor.load(ordering: .acquiring)
        guard open >= 0 else { throw PlatformError(errno: EBADF, "use the closed file", path) }
        return open
    }

    package func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(PlatformError) -> Int {
        let open = try rawDescriptor()
        var filled = 0
        while filled < buffer.count {
            let got = pread(
                open, buffer.baseAddress! + filled, buffer.count - filled,
                off_t(offset.addingReportingOverflow(Int64(filled)).partialValue))
            if got == 0 { break }
            if got < 0 {
                if errno == EINTR { continue }
                throw PlatformError(errno: errno, "read", path)
            }
            filled += got
        }
        return filled
    }

    /// Whether it has no places to read from: a pipe, a terminal.
    func isStream() throws(PlatformError) -> Bool {
        lseek(try rawDescriptor(), 0, SEEK_CUR) < 0 && errno == ESPIPE
    }

    /// What a stream gives from here to its end.
    func readToEnd(limit: Int) throws(PlatformError) -> [UInt8] {
        let open = try rawDescriptor()
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let got = piece.withUnsafeMutableBytes { Glibc.read(open, $0.baseAddress, $0.count) }
            if got == 0 { return bytes }
            if got < 0 {
                if errno == EINTR { continue }
                throw PlatformError(errno: errno, "read", path)
            }
            bytes += piece[..<got]
            if bytes.count > limit { throw PlatformError(past: limit, of: path) }
        }
    }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(PlatformError) {
        let open = try rawDescriptor()
        var written = 0
        while written < bytes.count {
            let count = pwrite(
                open, bytes.baseAddress! + written, bytes.count - written,
                off_t(offset.addingReportingOverflow(Int64(written)).partialValue))
            if count < 0 {
                if errno == EINTR { continue }
                throw PlatformError(errno: errno, "write", path)
            }
            written += count
        }
    }

    package func append(_ bytes: UnsafeRawBufferPointer) throws(PlatformError) {
        let open = try rawDescriptor()
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(open, bytes.baseAddress! + written, bytes.count - written)
            if count < 0 {
                if errno == EINTR { continue }
                throw PlatformError(errno: errno, "write", path)
            }
            written += count
        }
    }

    package func sync() throws(PlatformError) {
        if fsync(try rawDescriptor()) != 0 { throw PlatformError(errno: errno, "sync", path) }
    }

    package func syncContents() throws(PlatformError) {
        if fdatasync(try rawDescriptor()) != 0 { throw PlatformError(errno: errno, "sync", path) }
    }

    package func truncate(to sizeBytes: Int64) throws(PlatformError) {
        if ftruncate(try rawDescriptor(), off_t(sizeBytes)) != 0 {
            throw PlatformError(errno: errno, "truncate", path)
        }
    }

    package func sizeBytes() throws(PlatformError) -> Int64 {
        var raw = stat()
        if fstat(try rawDescriptor(), &raw) != 0 {
            throw PlatformError(errno: errno, "look at", path)
        }
        return Int64(raw.st_size)
    }

    package func close() throws(PlatformError) {
        let open = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        // A write error may be told only here (network file systems, quotas).
        if open >= 0, Glibc.close(open) != 0, errno != EINTR {
            throw PlatformError(errno: errno, "close", path)
        }
    }
}
