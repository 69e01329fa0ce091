import Foundation
import Glibc

/// `dev fuzz` and what it starts.
enum FuzzCommand {
    static let usage = """
        dev fuzz TARGET|all [--seed N] [--from N] [--iterations N] [--seconds N] [--corpus DIR]
                            [--output DIR] [--jobs N]
        dev fuzz TARGET --input FILE
        dev fuzz --list
        """

    /// Runs the command; the exit code.
    static func run(_ arguments: [String]) throws -> Int32 {
        var options = FuzzOptions()
        var name: String?
        var input: String?
        var rest = arguments[...]
        func number<Value: LosslessStringConvertible>(_ flag: String) throws -> Value {
            guard let text = rest.popFirst(), let value = Value(text) else {
                throw Finding("\(flag) wants a number")
            }
            return value
        }
        func text(_ flag: String) throws -> String {
            guard let text = rest.popFirst() else { throw Finding("\(flag) wants a value") }
            return text
        }
        while let word = rest.popFirst() {
            switch word {
            case "--list":
                for target in FuzzTarget.all {
                    Output.line(
                        target.name.padding(toLength: 16, withPad: " ", startingAt: 0)
                            + target.summary)
                }
                return 0
            case "--seed": options.seed = try number(word)
            case "--from": options.from = try number(word)
            case "--iterations": options.iterations = try number(word)
            case "--seconds": options.seconds = try number(word)
            case "--corpus": options.corpus = try text(word)
            case "--output": options.output = try text(word)
            case "--jobs": options.jobs = try number(word)
            case "--input": input = try text(word)
            default:
                guard !word.hasPrefix("-"), name == nil else {
                    throw Finding("unknown: \(word)\n\(usage)")
                }
                name = word
            }
        }
        guard let name else { throw Finding(usage) }
        let targets = name == "all" ? FuzzTarget.all : [try target(name)]
        if let input {
            guard let bytes = FileManager.default.contents(atPath: input) else {
                throw Finding("cannot read \(input)")
            }
            try FuzzBatch.runOne(targets[0], [UInt8](bytes))
        }
        if options.iterations == nil && options.seconds == nil { options.iterations = 100_000 }
        return try report(options, targets)
    }

    private static func report(_ options: FuzzOptions, _ targets: [FuzzTarget]) throws -> Int32 {
        Output.line("fuzzing \(targets.count) targets with seed \(options.seed)")
        let reports = try FuzzDriver(options).run(targets)
        Output.line("target             inputs   seconds  a second  finds")
        for report in reports {
            let rate = report.seconds > 0 ? Double(report.inputs) / report.seconds : 0
            Output.line(
                report.target.padding(toLength: 16, withPad: " ", startingAt: 0)
                    + String(
                        format: "%9d %9.1f %9.0f %6d", Int(report.inputs), report.seconds, rate,
                        report.finds.count))
        }
        let finds = reports.flatMap(\.finds)
        guard !finds.isEmpty else { return 0 }
        Output.line("\n\(finds.count) found:")
        for find in finds { Output.line(find) }
        return 1
    }

    /// The child's side: `dev fuzz-batch`.
    static func runBatch(_ arguments: [String]) throws -> Never {
        guard let name = arguments.first else { throw Finding("which target?") }
        var values: [String: String] = [:]
        for index in stride(from: 1, to: arguments.count - 1, by: 2) {
            values[arguments[index]] = arguments[index + 1]
        }
        let target = try target(name)
        let seed = values["--seed"].flatMap { UInt64($0) } ?? 1
        try FuzzBatch(
            target: target,
            inputs: FuzzInputs(
                target, seed: seed, extra: FuzzDriver.corpus(values["--corpus"])),
            from: values["--from"].flatMap { UInt64($0) } ?? 0,
            count: values["--iterations"].flatMap { UInt64($0) } ?? 1,
            seconds: values["--seconds"].flatMap { Double($0) },
            statePath: values["--state"] ?? "/dev/null"
        ).run()
    }

    static func target(_ name: String) throws -> FuzzTarget {
        guard let target = FuzzTarget.named(name) else {
            throw Finding("no target \(name); dev fuzz --list names them")
        }
        return target
    }
}
