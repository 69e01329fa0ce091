import Glibc
import Synchronization
import Testing

@testable import Platform

@Suite("Platform")
struct PlatformTests {
    private func withDirectory(_ body: (String, LocalFileSystem) throws -> Void) throws {
        let files = LocalFileSystem()
        let path = try files.makeTemporaryDirectory(prefix: "platform")
        defer { try? files.removeTree(path) }
        try body(path, files)
    }

    @Test func `files are written, read, replaced and listed`() throws {
        try withDirectory { root, files in
            try files.makeDirectory("\(root)/a/b/c")
            try files.makeDirectory("\(root)/a/b/c")
            let file = try files.open("\(root)/a/x", .createNew)
            try file.append([1, 2, 3])
            try file.write([9], at: 1)
            try file.sync()
            #expect(try file.read(10, at: 0) == [1, 9, 3])
            #expect(try file.read(10, at: 3) == [])
            #expect(try file.sizeBytes() == 3)
            try file.truncate(to: 1)
            try file.close()
            try file.close()
            #expect(throws: PlatformError.self) { try file.sizeBytes() }
            try files.replaceDurably("\(root)/a/x", with: [5, 6], mode: 0o600)
            #expect(try files.readAll("\(root)/a/x") == [5, 6])
            #expect(try files.status("\(root)/a/x")?.mode == 0o600)
            #expect(try files.list("\(root)/a") == ["b", "x"])
            #expect(try files.status("\(root)/a/none") == nil)
            #expect(try files.removeIfPresent("\(root)/a/x"))
            #expect(try !files.removeIfPresent("\(root)/a/x"))
        }
    }

    @Test func `failures have codes`() throws {
        try withDirectory { root, files in
            func code(_ body: () throws -> Void) -> PlatformError.Code? {
                do { try body() } catch { return (error as? PlatformError)?.code }
                return nil
            }
            try files.replaceDurably("\(root)/x", with: [1])
            #expect(code { _ = try files.open("\(root)/none", .read) } == .notFound)
            #expect(code { _ = try files.open("\(root)/x", .createNew) } == .alreadyExists)
            #expect(code { try files.makeDirectory("\(root)/x/y") } == .notADirectory)
            #expect(code { _ = try files.readAll("\(root)/x", limit: 0) } == .invalidArgument)
            #expect(
                code { _ = try SocketAddress.unix(String(repeating: "a", count: 108)) }
                    == .invalidArgument)
            let full = try files.open("/dev/full", .update)
            #expect(code { try full.append([1]) } == .noSpace)
        }
    }

    @Test func `a pipe is read to its end, within the limit`() throws {
        try withDirectory { root, files in
            var ends: [Int32] = [-1, -1]
            #expect(pipe(&ends) == 0)
            defer { close(ends[0]) }
            let text = [UInt8](repeating: 7, count: 5000)
            #expect(write(ends[1], text, text.count) == text.count)
            close(ends[1])
            // Another opening of the same pipe, as /dev/stdin and <(...) are.
            let path = "/proc/self/fd/\(ends[0])"
            #expect(throws: PlatformError.self) { try files.readAll(path, limit: 10) }
            var other: [Int32] = [-1, -1]
            #expect(pipe(&other) == 0)
            defer { close(other[0]) }
            #expect(write(other[1], text, text.count) == text.count)
            close(other[1])
            let read = try files.readAll("/proc/self/fd/\(other[0])", limit: 5000)
            #expect(read == text)
        }
    }

    @Test func `a child in place has the variables, takes signals and tells its end`() throws {
        let named = try ChildProcess(
            inPlace: "/bin/sh", ["-c", "exit $CODE"], variables: [("CODE", "7")])
        #expect(named.wait() == 7)
        let waiting = try ChildProcess(inPlace: "/bin/sleep", ["600"])
        waiting.send(.terminate)
        #expect(waiting.wait() == 128 + 15)
    }

    @Test func `a lock names its holder and goes with it`() throws {
        try withDirectory { root, _ in
            var lock: FileLock? = try FileLock(path: "\(root)/lock")
            let error = try #require(throws: PlatformError.self) {
                try FileLock(path: "\(root)/lock")
            }
            #expect(error.code == .locked)
            #expect(error.message.contains("process \(Host.processID)"))
            #expect(FileLock.holder(path: "\(root)/lock") == Host.processID)
            _ = lock.take()
            #expect(FileLock.holder(path: "\(root)/lock") == nil)
            _ = try FileLock(path: "\(root)/lock")
        }
    }

    @Test func `paths are taken apart`() {
        #expect(parentDirectory(of: "/a/b") == "/a")
        #expect(parentDirectory(of: "/a") == "/")
        #expect(parentDirectory(of: "a") == ".")
        #expect(parentDirectory(of: "a/b/") == "a")
        #expect(lastPathComponent(of: "/a/b") == "b")
    }

    @Test func `clocks stand and move as told`() {
        let clock = SettableClock(at: WallTime(seconds: 100))
        let begin: MonotonicInstant = clock.now()
        clock.advance(by: .milliseconds(1500))
        #expect((clock.now() as MonotonicInstant) - begin == .milliseconds(1500))
        #expect((clock.now() as WallTime).milliseconds == 101_500)
        #expect(WallTime(microseconds: -1).seconds == -1)
        #expect(WallTime(microseconds: -1).milliseconds == -1)
        #expect((begin + .seconds(Int64.max)).nanoseconds == .max)
        #expect((SystemWallClock().now() as WallTime).seconds > 1_700_000_000)
    }

    @Test func `a file moves the wall clock`() throws {
        try withDirectory { root, files in
            let clock = FileWallClock(path: "\(root)/clock")
            #expect(clock.now().seconds > 1_700_000_000)
            try files.replaceDurably("\(root)/clock", with: Array("12345\n".utf8))
            #expect(clock.now() == WallTime(seconds: 12345))
            try files.replaceDurably("\(root)/clock", with: Array("678\n".utf8))
            #expect(clock.now() == WallTime(seconds: 678))
            try files.replaceDurably("\(root)/clock", with: Array("soon".utf8))
            #expect(clock.now().seconds > 1_700_000_000)
        }
    }

    @Test func `seeded entropy repeats and numbers stay below their bound`() {
        let left = SeededEntropy(seed: 7)
        let right = SeededEntropy(seed: 7)
        #expect(left.bytes(100) == right.bytes(100))
        #expect(left.uuid() == right.uuid())
        #expect((0..<1000).allSatisfy { _ in left.below(7) < 7 })
        #expect(Set((0..<100).map { _ in SystemEntropy().hex(bytes: 8) }).count == 100)
        let uuid = Array(SystemEntropy().uuid().utf8)
        #expect(uuid.count == 36 && uuid[14] == UInt8(ascii: "4"))
    }

    @Test func `a pool runs what it takes and refuses what it cannot`() throws {
        let pool = try ThreadPool(name: "test", threadCount: 2, queueLimit: 3)
        let gate = Latch<Bool>()
        let begun = Semaphore(permits: 0)
        let done = Atomic<Int>(0)
        for _ in 0..<2 {
            #expect(
                pool.submit {
                    begun.release()
                    _ = gate.wait()
                    done.wrappingAdd(1, ordering: .relaxed)
                })
            begun.acquire()
        }
        for _ in 0..<3 { #expect(pool.submit { done.wrappingAdd(1, ordering: .relaxed) }) }
        #expect(!pool.submit {})
        gate.open(true)
        pool.stop()
        #expect(done.load(ordering: .relaxed) == 5)
        #expect(!pool.submit {})
    }

    @Test func `a team runs every worker once a region`() throws {
        let team = try WorkerTeam(name: "team", workerCount: 4)
        for limit in [1, 2, 4, 9] {
            let seen = Mutex<[Int]>([])
            for _ in 0..<50 {
                team.run(limit: limit) { worker in seen.withLock { $0.append(worker) } }
            }
            let counts = Dictionary(grouping: seen.withLock { $0 }) { $0 }.mapValues(\.count)
            #expect(
                counts == Dictionary(uniqueKeysWithValues: (0..<min(4, limit)).map { ($0, 50) }))
        }
    }

    @Test func `a queue keeps its order through growth and shrinking`() {
        var queue = FIFO<Int>()
        var next = 0
        for round in 0..<2000 {
            queue.append(round)
            if round % 3 != 0 {
                #expect(queue.popFirst() == next)
                next += 1
            }
        }
        while let value = queue.popFirst() {
            #expect(value == next)
            next += 1
        }
        #expect(next == 2000)
    }

    @Test func `a Unix socket connects and tells who is there`() throws {
        try withDirectory { root, _ in
            let address = try SocketAddress.unix("\(root)/control.sock")
            let listener = try ListeningSocket(address)
            let client = try Socket.connect(to: address)
            let server = try #require(try listener.accept())
            #expect(try server.peerCredentials().processID == Host.processID)
            #expect(try server.peerCredentials().userID == Host.userID)
            try client.writeAll([1, 2, 3])
            server.setNonBlocking(false)
            #expect(try server.readSome() == [1, 2, 3])
            #expect(try listener.accept() == nil)
        }
    }

    @Test func `addresses are numeric or resolved`() throws {
        let loopback = try SocketAddress.resolve(host: "127.0.0.1", port: 80)[0]
        #expect("\(loopback)" == "127.0.0.1:80")
        #expect(loopback.isLoopback)
        #expect("\(try SocketAddress.resolve(host: "[::1]", port: 80)[0])" == "[::1]:80")
        #expect(try SocketAddress.resolve(host: "localhost", port: 1).allSatisfy(\.isLoopback))
        #expect(throws: PlatformError.self) {
            try SocketAddress.resolve(host: "127.0.0.1", port: 70_000)
        }
    }

    @Test func `a taken port names its holder`() throws {
        let address = try SocketAddress.resolve(host: "127.0.0.1", port: 0)[0]
        let first = try ListeningSocket(address)
        let error = try #require(throws: PlatformError.self) { try ListeningSocket(first.address) }
        #expect(error.code == .addressInUse)
        #expect(error.message.contains("process \(Host.processID)"))
    }

    @Test func `the process knows what it uses`() {
        let usage = ProcessUsage.current()
        #expect(usage.residentBytes > 1 << 20)
        #expect(usage.peakResidentBytes >= usage.residentBytes)
        #expect(usage.openFiles > 2 && usage.threadCount > 0)
        #expect(Host.processorCount > 0 && Host.memoryBytes > 1 << 28)
        #expect((try? LocalFileSystem().freeBytes("/")) ?? 0 > 0)
    }
}
