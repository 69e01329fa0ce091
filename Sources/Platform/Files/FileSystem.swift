/// What files are for: the flags that `open` takes.
package enum OpenMode: Sendable, Hashable {
    /// Read an existing file.
    case read
    /// Read and write an existing file.
    case update
    /// Read and write; made when absent.
    case updateOrCreate
    /// Write a new file; `.alreadyExists` when there is one.
    case createNew
    /// Write from the start; an existing file is emptied.
    case replace
    /// Write at the end; made when absent.
    case append
}

/// What the system knows of a path.
package struct FileStatus: Sendable, Hashable {
    package enum Kind: Sendable, Hashable { case file, directory, symbolicLink, other }
    package var kind: Kind
    package var sizeBytes: Int64
    package var modified: WallTime
    /// Permission bits, such as `0o600`.
    package var mode: UInt32
    package var inode: UInt64

    package init(kind: Kind, sizeBytes: Int64, modified: WallTime, mode: UInt32, inode: UInt64) {
        self.kind = kind
        self.sizeBytes = sizeBytes
        self.modified = modified
        self.mode = mode
        self.inode = inode
    }
}

/// The disk, as small as the product needs it, so that a simulated one can stand in for crash tests.
///
/// Paths are as given: relative ones start at the working directory.
package protocol FileSystem: Sendable {
    /// Opens a file. New files have `mode` (less the umask).
    func open(_ path: String, _ how: OpenMode, mode: UInt32) throws(PlatformError) -> any File
    /// Replaces `target` by `source` in one step; durable after `syncDirectory`.
    func rename(_ source: String, to target: String) throws(PlatformError)
    /// Gives a file a second name; `.alreadyExists` when the target exists.
    func link(_ source: String, to target: String) throws(PlatformError)
    /// Removes a file (not a directory).
    func remove(_ path: String) throws(PlatformError)
    /// Removes an empty directory.
    func removeDirectory(_ path: String) throws(PlatformError)
    /// What stands at the path; nil when nothing does. Does not follow a symbolic link at the end.
    func status(_ path: String) throws(PlatformError) -> FileStatus?
    /// Names in a directory, sorted, without `.` and `..`.
    func list(_ directory: String) throws(PlatformError) -> [String]
    /// Makes the directory and those above it; fine when it is there.
    func makeDirectory(_ path: String, mode: UInt32) throws(PlatformError)
    /// Makes names added to or removed from the directory durable.
    func syncDirectory(_ path: String) throws(PlatformError)
}

/// An open file. Closes itself when the last reference goes; `close` tells of failures.
///
/// Positions are absolute: nothing but `append` depends on a cursor, so threads may share one.
package protocol File: AnyObject, Sendable {
    /// Reads up to `buffer.count` bytes at an offset; fewer only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(PlatformError)
        -> Int
    /// Writes all bytes at an offset.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(PlatformError)
    /// Writes all bytes at the cursor: the end for `.append`, after the last append otherwise.
    func append(_ bytes: UnsafeRawBufferPointer) throws(PlatformError)
    /// Makes contents and all metadata durable (fsync).
    func sync() throws(PlatformError)
    /// Makes contents, and the size if it changed, durable (fdatasync).
    func syncContents() throws(PlatformError)
    func truncate(to sizeBytes: Int64) throws(PlatformError)
    func sizeBytes() throws(PlatformError) -> Int64
    /// Closes now; later calls throw. Closing twice is fine.
    func close() throws(PlatformError)
}

extension File {
    /// Writes an array at an offset.
    package func write(_ bytes: [UInt8], at offset: Int64) throws(PlatformError) {
        try withBytes(of: bytes) { raw throws(PlatformError) in try write(raw, at: offset) }
    }

    /// Appends an array.
    package func append(_ bytes: [UInt8]) throws(PlatformError) {
        try withBytes(of: bytes) { raw throws(PlatformError) in try append(raw) }
    }

    /// Reads up to `count` bytes at an offset; fewer only at the end of the file.
    package func read(_ count: Int, at offset: Int64) throws(PlatformError) -> [UInt8] {
        var failure: PlatformError?
        let bytes = [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, filled in
            do throws(PlatformError) {
                filled = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }
}

extension FileSystem {
    package func open(_ path: String, _ how: OpenMode) throws(PlatformError) -> any File {
        try open(path, how, mode: 0o644)
    }

    package func makeDirectory(_ path: String) throws(PlatformError) {
        try makeDirectory(path, mode: 0o755)
    }

    /// Whether anything stands at the path.
    package func exists(_ path: String) throws(PlatformError) -> Bool { try status(path) != nil }

    /// The whole file, or all that a pipe or a terminal gives until its end; `.truncated` is never
    /// thrown, `.invalidArgument` past the limit.
    package func readAll(_ path: String, limit: Int = 1 << 30) throws(PlatformError) -> [UInt8] {
        let file = try open(path, .read)
        if let stream = file as? LocalFile, try stream.isStream() {
            return try stream.readToEnd(limit: limit)
        }
        var bytes: [UInt8] = []
        // Sizes of special files are 0, so the end is where a read says so.
        var step = Int(clamping: max(try file.sizeBytes() + 1, 4096))
        while true {
            step = min(step, limit - bytes.count + 1)
            let piece = try file.read(step, at: Int64(bytes.count))
            if bytes.isEmpty { bytes = piece } else { bytes += piece }
            if bytes.count > limit { throw PlatformError(past: limit, of: path) }
            if piece.count < step { return bytes }
        }
    }

    /// Replaces a file durably: temporary name, write, fsync, rename, fsync the directory.
    ///
    /// After it returns the new contents survive a power cut; before, the old ones do.
    package func replaceDurably(
        _ path: String, with bytes: [UInt8], mode: UInt32 = 0o644
    ) throws(PlatformError) {
        let temporary = path + ".new"
        let file = try open(temporary, .replace, mode: mode)
        try file.append(bytes)
        try file.sync()
        try file.close()
        try rename(temporary, to: path)
        try syncDirectory(parentDirectory(of: path))
    }

    /// Removes a file if it is there; whether it was.
    @discardableResult
    package func removeIfPresent(_ path: String) throws(PlatformError) -> Bool {
        do throws(PlatformError) {
            try remove(path)
            return true
        } catch {
            if error.code == .notFound { return false }
            throw error
        }
    }

    /// Removes a directory with everything in it; symbolic links are removed, not followed.
    package func removeTree(_ path: String) throws(PlatformError) {
        guard let status = try status(path) else { return }
        guard status.kind == .directory else { return try remove(path) }
        for name in try list(path) { try removeTree(path + "/" + name) }
        try removeDirectory(path)
    }
}

/// The directory that holds the path: `.` for a bare name, `/` for the root's children.
package func parentDirectory(of path: String) -> String {
    let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard let slash = trimmed.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == trimmed.utf8.startIndex ? "/" : String(trimmed[..<slash])
}

/// The last component of the path.
package func lastPathComponent(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
}

/// Lends the bytes of an array with a typed error.
func withBytes(
    of bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(PlatformError) -> Void
) throws(PlatformError) {
    var failure: PlatformError?
    bytes.withUnsafeBytes { raw in
        do throws(PlatformError) { try body(raw) } catch { failure = error }
    }
    if let failure { throw failure }
}
