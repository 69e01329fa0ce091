import CLinux
import Glibc

/// Variables of the environment.
package enum Environment {
    /// The variable `name` of the process's environment; nil when it is not set.
    package static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}

/// What the machine and this process are.
package enum Host {
    package static var processID: Int32 { getpid() }
    package static var userID: UInt32 { geteuid() }

    /// The machine's name, "localhost" when it has none.
    package static var name: String {
        var text = [CChar](repeating: 0, count: 256)
        guard gethostname(&text, 255) == 0 else { return "localhost" }
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Processors that this process may use.
    package static var processorCount: Int { max(1, Int(cl_processor_count())) }

    /// Bytes of memory of the machine.
    package static var memoryBytes: Int64 {
        Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Whether the instructions are there that an x86-64 build may have been compiled for.
    package static var hasAVX2: Bool { cl_has_avx2() != 0 }

    /// The working directory.
    package static var workingDirectory: String {
        guard let text = getcwd(nil, 0) else { return "." }
        defer { free(text) }
        return String(cString: text)
    }

    /// The path of the running program.
    package static var executablePath: String? {
        var text = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &text, text.count)
        guard count > 0 else { return nil }
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// What this process uses of the machine.
package struct ProcessUsage: Sendable {
    package var residentBytes: Int64
    package var peakResidentBytes: Int64
    package var processorTime: Duration
    package var openFiles: Int
    package var threadCount: Int

    /// Processor time that the calling thread has used; two readings tell what lay between them.
    package static func threadProcessorTime() -> Duration {
        var time = timespec()
        guard clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else { return .zero }
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }

    /// Reads the kernel's figures; those it does not give are 0.
    package static func current() -> ProcessUsage {
        var usage = ProcessUsage(
            residentBytes: 0, peakResidentBytes: 0, processorTime: .zero, openFiles: 0,
            threadCount: 0)
        let status = (try? LocalFileSystem().readAll("/proc/self/status", limit: 1 << 16)) ?? []
        for line in String(decoding: status, as: UTF8.self).split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ":" })
            guard words.count >= 2, let number = Int64(words[1]) else { continue }
            switch words[0] {
            case "VmRSS": usage.residentBytes = number * 1024
            case "VmHWM": usage.peakResidentBytes = number * 1024
            case "Threads": usage.threadCount = Int(number)
            default: break
            }
        }
        var time = timespec()
        if clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 {
            usage.processorTime = .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
        }
        usage.openFiles = (try? LocalFileSystem().list("/proc/self/fd").count) ?? 0
        return usage
    }
}
