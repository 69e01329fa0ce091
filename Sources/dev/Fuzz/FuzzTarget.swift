package import TestSupport
import Diagnostics

/// Something that must hold of a parser and did not.
package struct Finding: Error, CustomStringConvertible {
    /// What did not hold, with the values.
    package let description: String
    /// A finding in words.
    package init(_ description: String) { self.description = description }
}

/// A parser of foreign bytes, and how to try it.
package struct FuzzTarget: Sendable {
    /// Tries one input: returns when the parser took or refused it, throws a `Finding` when something that
    /// must hold does not.
    package typealias Trial = ([UInt8]) throws -> Void

    /// The word for the command line, and the folder of its cases.
    package let name: String
    /// One line for the list.
    package let summary: String
    /// Words of the format, for the mutator.
    package var tokens: [String] = []
    /// Inputs do not grow past it.
    package var sizeLimit = 16 * 1024
    /// Valid inputs to begin with.
    package let seeds: @Sendable () throws -> [[UInt8]]
    /// Makes an input out of nothing, by a grammar.
    package var generate: (@Sendable (inout SeededGenerator) -> [UInt8])?
    /// Repairs what would stop the parser at once: lengths, checksums, signatures.
    package var shape: (@Sendable ([UInt8], inout SeededGenerator) -> [UInt8])?
    /// Gets ready; the trial belongs to the calling thread.
    package let prepare: @Sendable () throws -> Trial

    /// A target without words, grammar and shape: these are set afterwards.
    package init(
        name: String, summary: String, seeds: @escaping @Sendable () throws -> [[UInt8]],
        prepare: @escaping @Sendable () throws -> Trial
    ) {
        self.name = name
        self.summary = summary
        self.seeds = seeds
        self.prepare = prepare
    }

    /// Every target, in the order of the layers.
    package static let all: [FuzzTarget] = [
        .http, .json, .xml, .yaml, .regex, .csv, .jsonLines, .avro, .parquet, .thrift,
        .tableMetadata, .manifest, .sql, .signature, .token,
    ]

    /// The target of that name.
    package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// The inputs of a target: number `n` is the same whenever and wherever it is made.
package struct FuzzInputs {
    private let target: FuzzTarget
    private let seed: UInt64
    private let corpus: [[UInt8]]
    private let mutator: ByteMutator

    /// `extra` are inputs beside the target's own, from `--corpus`.
    package init(_ target: FuzzTarget, seed: UInt64, extra: [[UInt8]] = []) throws {
        self.target = target
        self.seed = seed
        corpus = try target.seeds() + extra
        mutator = ByteMutator(tokens: target.tokens, sizeLimit: target.sizeLimit)
    }

    /// Input number `iteration`.
    package func input(_ iteration: UInt64) -> [UInt8] {
        var outer = SeededGenerator(seed: seed)
        var random = SeededGenerator(seed: outer.next() ^ (iteration &* 0x9E37_79B9_7F4A_7C15))
        if let generate = target.generate, random.below(4) == 0 {
            var input = generate(&random)
            if random.below(2) == 0 { mutator.mutate(&input, others: corpus, using: &random) }
            return input
        }
        guard !corpus.isEmpty else { return [] }
        var input = random.pick(corpus)
        if random.below(64) > 0 { mutator.mutate(&input, others: corpus, using: &random) }
        if let shape = target.shape, random.below(4) > 0 { input = shape(input, &random) }
        return input
    }
}

/// Runs a parser: its value, or nil when it refused with a fault. Anything else it throws is a finding.
func answer<Value>(_ body: () throws -> Value) throws -> Value? {
    do {
        return try body()
    } catch let finding as Finding {
        throw finding
    } catch let fault as any Fault {
        try check(fault)
        return nil
    } catch {
        throw Finding("refused with something that is no fault: \(error)")
    }
}

/// A refusal has words, and does not blame us.
private func check(_ fault: some Fault) throws {
    guard !fault.message.isEmpty, !"\(fault)".isEmpty else {
        throw Finding("a fault without words: \(fault.code.rawValue)")
    }
    if fault.code.rawValue.hasSuffix(".bug") { throw Finding("a fault of ours: \(fault)") }
}

/// Throws a finding unless the condition holds.
func hold(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw Finding(what()) }
}
