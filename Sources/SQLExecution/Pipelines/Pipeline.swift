import Platform
import SQLFunctions
import Synchronization
import Vectors

/// A source and the operators that its chunks go through.
struct Branch: Sendable {
    var source: any PipelineSource
    var operators: [any OperatorFactory] = []
}

/// Branches that end in one sink.
final class Pipeline: Sendable {
    let branches: [Branch]
    let sink: any Sink
    /// One worker only: the order of rows matters.
    let isSerial: Bool

    init(branches: [Branch], sink: any Sink, isSerial: Bool) {
        self.branches = branches
        self.sink = sink
        self.isSerial = isSerial
    }

    func run(_ runtime: Runtime) throws(QueryFault) {
        for (index, branch) in branches.enumerated() {
            try run(branch.source, branch.operators[...], runtime, expected: 1)
            for (position, factory) in branch.operators.enumerated() {
                // An operator behind a UNION ALL stands in several branches: it has seen all of its rows
                // when the last of them is done.
                let isShared = branches[(index + 1)...].contains { later in
                    later.operators.contains { $0 === factory }
                }
                if isShared { continue }
                for source in try factory.deferredSources() {
                    try run(source, branch.operators[(position + 1)...], runtime)
                }
            }
        }
        let start = runtime.clock.now().nanoseconds
        try sink.finish(runtime)
        sink.statistics.addFinish(nanoseconds: runtime.clock.now().nanoseconds &- start)
        try runtime.check()
    }

    /// Drains one source through a chain on all workers.
    private func run(
        _ source: any PipelineSource, _ operators: ArraySlice<any OperatorFactory>,
        _ runtime: Runtime, expected: Int = 0
    ) throws(QueryFault) {
        try runtime.check()
        try source.prepare(runtime)
        let morselCount = source.morselCount
        let progress = runtime.progress
        if morselCount == 0 { return progress.skip(expected) }
        progress.expect(morselCount - expected)
        let region = Region()
        let next = SharedCounter()
        let limit = isSerial ? 1 : min(morselCount, runtime.settings.threadCount)
        try runtime.runWorkers(limit: limit) { [self] index throws(QueryFault) in
            let worker = Worker(index: index, runtime: runtime, region: region)
            let first = try makeChain(operators, from: source.statistics, worker)
            let reader = try source.makeReader(worker)
            let start = runtime.clock.now().nanoseconds
            while !worker.isStopped {
                let morsel = next.take()
                guard morsel < morselCount else { break }
                progress.begin()
                defer { progress.end() }
                try reader.run(morsel, into: first)
            }
            try runtime.check()
            try first.finish()
            source.statistics.addInput(
                rows: 0, chunks: 0, nanoseconds: runtime.clock.now().nanoseconds &- start)
        }
        // A satisfied LIMIT leaves the rest alone.
        progress.skip(morselCount - min(next.take(), morselCount))
    }

    private func makeChain(
        _ operators: ArraySlice<any OperatorFactory>, from source: OperatorStatistics,
        _ worker: Worker
    ) throws(QueryFault) -> Operator {
        var first: Operator?
        var last: Operator?
        var previous = source
        func append(_ part: Operator, _ statistics: OperatorStatistics) {
            let meter = Meter(statistics, previous: previous, runtime: worker.runtime)
            meter.next = part
            if let last { last.next = meter } else { first = meter }
            last = part
            previous = statistics
        }
        for factory in operators { append(try factory.makeLocal(worker), factory.statistics) }
        append(try sink.makeLocal(worker), sink.statistics)
        return first.unsafelyUnwrapped
    }
}

/// Hands out morsels.
final class SharedCounter: Sendable {
    private let value = Atomic<Int>(0)
    func take() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}
