import Diagnostics
import Platform

/// Pages in order: the first megabytes in memory, what is beyond in a file, so that a query never waits
/// for its client.
struct PageSpool {
    /// Bytes kept in memory before the file is used.
    static let memoryLimit = 16 << 20
    /// Bytes of one result in all.
    static let diskLimit: Int64 = 64 << 30

    private let path: String
    private var pages = FIFO<Entry>()
    private var memoryBytes = 0
    private var file: LocalFile?
    private var fileBytes: Int64 = 0

    private enum Entry {
        case memory(ResultPage)
        case disk(offset: Int64, count: Int, rowCount: Int)
    }

    init(path: String) { self.path = path }

    var isEmpty: Bool { pages.isEmpty }

    mutating func append(_ page: ResultPage) throws {
        if memoryBytes + page.bytes.count <= PageSpool.memoryLimit {
            memoryBytes += page.bytes.count
            pages.append(.memory(page))
            return
        }
        if file == nil { file = try LocalFile(path, .replace, mode: 0o600) }
        guard let file, fileBytes + Int64(page.bytes.count) <= PageSpool.diskLimit else {
            throw QueryFaultOfSpool.tooLarge
        }
        try file.write(page.bytes, at: fileBytes)
        pages.append(.disk(offset: fileBytes, count: page.bytes.count, rowCount: page.rowCount))
        fileBytes += Int64(page.bytes.count)
    }

    mutating func take() throws -> ResultPage? {
        switch pages.popFirst() {
        case nil: return nil
        case .memory(let page)?:
            memoryBytes -= page.bytes.count
            return page
        case .disk(let offset, let count, let rowCount)?:
            guard let file else { return nil }
            let page = ResultPage(bytes: try file.read(count, at: offset), rowCount: rowCount)
            if pages.isEmpty {
                try? file.close()
                self.file = nil
                fileBytes = 0
                _ = try? LocalFileSystem().removeIfPresent(path)
            }
            return page
        }
    }

    /// Forgets everything: the query was cancelled or nobody fetches it any more.
    mutating func discard() {
        pages = FIFO()
        memoryBytes = 0
        try? file?.close()
        file = nil
        fileBytes = 0
        _ = try? LocalFileSystem().removeIfPresent(path)
    }
}

/// Why a spool refuses a page.
enum QueryFaultOfSpool: Error, CustomStringConvertible {
    case tooLarge

    var description: String { "the result passes \(PageSpool.diskLimit) bytes" }
}
