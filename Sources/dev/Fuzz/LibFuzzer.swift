#if LIBFUZZER
    import Foundation
    import Glibc
    import Platform

    /// libFuzzer's loop, for programs that have a `main` of their own.
    /// Source: LLVM documentation, "libFuzzer", "Using libFuzzer as a library".
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runLibFuzzer(
        _ count: UnsafeMutablePointer<Int32>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
        _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
    ) -> Int32

    /// `dev libfuzzer TARGET …`: the same targets, led by coverage.
    enum LibFuzzer {
        // Safe because it is set once, before libFuzzer's loop, which calls from one thread.
        nonisolated(unsafe) private static var trial: FuzzTarget.Trial?

        /// Runs until a finding or the limits among the arguments; never returns.
        static func run(_ arguments: [String]) throws -> Never {
            guard let name = arguments.first else { throw Finding("which target?") }
            let target = try FuzzCommand.target(name)
            trial = try target.prepare()
            let folder = ".build/libfuzzer-corpus/\(name)"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            for (number, seed) in try target.seeds().enumerated() {
                try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/seed-\(number)"))
            }
            let words = ["dev", folder, "-max_len=\(target.sizeLimit)"] + arguments.dropFirst()
            var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
            var count = Int32(words.count)
            let code = pointers.withUnsafeMutableBufferPointer { buffer in
                var base = buffer.baseAddress
                return withUnsafeMutablePointer(to: &base) { place in
                    runLibFuzzer(&count, place) { bytes, count in
                        let input = Array(UnsafeBufferPointer(start: bytes, count: count))
                        do { try LibFuzzer.trial?(input) } catch {
                            // The fuzzer keeps inputs that end the process.
                            preconditionFailure("\(error)")
                        }
                        return 0
                    }
                }
            }
            Glibc.exit(code)
        }
    }
#endif
