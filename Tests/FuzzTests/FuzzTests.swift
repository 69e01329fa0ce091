import Foundation
import TestSupport
import Testing
import dev

/// What the fuzzer found stays found, and each target's first inputs pass: `make test-long` runs more.
@Suite("Fuzz")
struct FuzzTests {
    /// An input that once failed: `Tests/Fuzz/TARGET/NAME`.
    struct Case: Sendable, CustomTestStringConvertible {
        let target: FuzzTarget
        let file: URL
        var testDescription: String { "\(target.name)/\(file.lastPathComponent)" }
    }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fuzz")

    static let cases: [Case] = FuzzTarget.all.flatMap { target in
        let path = folder.appendingPathComponent(target.name).path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.sorted().map {
            Case(target: target, file: URL(fileURLWithPath: path).appendingPathComponent($0))
        }
    }

    @Test(arguments: cases) func `what was fixed stays fixed`(found: Case) throws {
        let input = [UInt8](try Data(contentsOf: found.file))
        try found.target.prepare()(input)
    }

    @Test func `every folder of cases belongs to a target`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(names).isSubset(of: Set(FuzzTarget.all.map(\.name))))
        #expect(!Self.cases.isEmpty)
    }

    @Test(arguments: FuzzTarget.all.map(\.name)) func `seeds and first inputs pass`(name: String)
        throws
    {
        let target = try #require(FuzzTarget.named(name))
        let trial = try target.prepare()
        let seeds = try target.seeds()
        #expect(!seeds.isEmpty)
        // Long seeds are slow in a build without optimization.
        for seed in seeds.prefix(40) where seed.count <= 8192 { try trial(seed) }
        let inputs = try FuzzInputs(target, seed: 1)
        for iteration in 0..<20 {
            let input = inputs.input(UInt64(iteration))
            if input.count <= 4096 { try trial(input) }
        }
    }

    @Test func `an input depends on target, seed and number alone`() throws {
        for target in [FuzzTarget.named("http"), .named("sql"), .named("jwt")] {
            let target = try #require(target)
            let first = try FuzzInputs(target, seed: 7)
            let second = try FuzzInputs(target, seed: 7)
            let other = try FuzzInputs(target, seed: 8)
            for number in [0, 5, 1000] as [UInt64] {
                #expect(first.input(number) == second.input(number))
            }
            #expect((0..<20).contains { first.input($0) != other.input($0) })
        }
    }

    @Test func `the reducer keeps what fails`() {
        let input = (0..<500).map { UInt8(truncatingIfNeeded: $0) }
        let short = InputReducer.reduce(input, attempts: 2000) { bytes in
            bytes.contains(17) && bytes.contains(200)
        }
        #expect(short.count == 2)
        #expect(InputReducer.reduce(input, attempts: 2000) { _ in true }.isEmpty)
        var calls = 0
        _ = InputReducer.reduce(input, attempts: 30) { _ in
            calls += 1
            return false
        }
        #expect(calls == 30)
    }

    @Test func `the mutator stays within its size and changes most inputs`() {
        let mutator = ByteMutator(tokens: ["select", "("], sizeLimit: 300)
        var random = SeededGenerator(seed: 3)
        var changed = 0
        for _ in 0..<500 {
            var input = Array("select (a, 12) from b".utf8)
            let before = input
            mutator.mutate(&input, others: [before], using: &random)
            #expect(input.count <= 300)
            if input != before { changed += 1 }
        }
        #expect(changed > 400)
    }
}
