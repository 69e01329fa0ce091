import SQLFunctions
import SQLPlanning
import Vectors

/// A model in memory: the functions that take it, over vectors.
///
/// Kernels get the title, which they do not read, and one vector of doubles a feature, without NULLs in
/// the active rows. They keep nothing between calls, so that any number of threads may call. A feature
/// that is NaN or infinite gives NULL.
final class LoadedModel: PlannedModel {
    let title: String
    let algorithm: String
    let features: [ModelFeature]
    let functions: [String: ScalarFunction]

    init(
        title: String, algorithm: String, features: [ModelFeature], kernels: ModelKernels
    ) {
        self.title = title
        self.algorithm = algorithm
        self.features = features
        functions = kernels.functions(of: features)
    }
}

/// A decoded body, ready to be called; shared by the versions that have the same digest.
enum ModelKernels: Sendable {
    case forest(ForestScorer)
    case logistic(LogisticRegression)
    case kmeans(KMeans)

    init(_ body: ModelBody) throws(ModelError) {
        switch body {
        case .forest(let forest): self = .forest(try ForestScorer(forest))
        case .logistic(let model): self = .logistic(model)
        case .kmeans(let model): self = .kmeans(model)
        }
    }

    func functions(of features: [ModelFeature]) -> [String: ScalarFunction] {
        func function(
            _ name: String, _ result: LogicalType, _ kernel: @escaping ScalarFunction.Kernel
        ) -> (String, ScalarFunction) {
            (
                name,
                ScalarFunction(
                    name: name,
                    signature: .fixed([.text] + features.map { _ in .double }, result: result),
                    summary: "A call of a trained model.", example: "", kernel: kernel)
            )
        }
        let list: [(String, ScalarFunction)] =
            switch self {
            case .forest(let scorer):
                [
                    function("ai_anomaly", .double) { call in
                        FeatureBlocks(call, .byFeature).eachBlock { rows, count, places in
                            withScratch(ForestScorer.blockRows) { scores in
                                scorer.score(rows, count: count, into: scores)
                                let target = call.result.pointee.pointer(as: Double.self)
                                for index in 0..<count { target[places[index]] = scores[index] }
                            }
                        }
                    },
                    function("ai_predict", .boolean) { call in
                        FeatureBlocks(call, .byFeature).eachBlock { rows, count, places in
                            withScratch(ForestScorer.blockRows) { scores in
                                scorer.score(rows, count: count, into: scores)
                                let target = call.result.pointee.pointer(as: UInt8.self)
                                for index in 0..<count {
                                    target[places[index]] =
                                        scores[index] > scorer.threshold ? 1 : 0
                                }
                            }
                        }
                    },
                    function("ai_anomaly_explain", .map(key: .text, value: .double)) { call in
                        explain(scorer, features, call)
                    },
                ]
            case .logistic(let model):
                [
                    function("ai_predict", .double) { call in
                        FeatureBlocks(call, .byRow).eachBlock { rows, count, places in
                            let target = call.result.pointee.pointer(as: Double.self)
                            for index in 0..<count {
                                target[places[index]] = model.probability(
                                    rows + index &* features.count)
                            }
                        }
                    }
                ]
            case .kmeans(let model):
                [
                    function("ai_predict", .bigint) { call in
                        FeatureBlocks(call, .byRow).eachBlock { rows, count, places in
                            withScratch(features.count) { scratch in
                                let target = call.result.pointee.pointer(as: Int64.self)
                                for index in 0..<count {
                                    target[places[index]] = Int64(
                                        model.cluster(rows + index &* features.count, scratch))
                                }
                            }
                        }
                    }
                ]
            }
        return Dictionary(list) { first, _ in first }
    }
}

private func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Double>) -> Void) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(count, 1)) { buffer in
        if let base = buffer.baseAddress { body(base) }
    }
}

/// The features of a call's active rows, block by block.
private struct FeatureBlocks {
    /// How the values of a block lie.
    enum Order {
        /// The features of a row side by side.
        case byRow
        /// The rows of a feature side by side, `blockRows` apart from the next feature's.
        case byFeature
    }

    private let call: KernelCall
    private let width: Int
    /// Values from a row to the next, and from a feature to the next.
    private let rowStride: Int
    private let featureStride: Int

    init(_ call: KernelCall, _ order: Order) {
        self.call = call
        width = call.argumentTypes.count - 1
        rowStride = order == .byRow ? width : 1
        featureStride = order == .byRow ? 1 : ForestScorer.blockRows
    }

    /// Calls `body` with up to `blockRows` rows of finite features and the rows' places. The others
    /// become NULL.
    func eachBlock(
        _ body: (UnsafePointer<Double>, Int, UnsafePointer<Int>) -> Void
    ) {
        let size = ForestScorer.blockRows
        withUnsafeTemporaryAllocation(of: Double.self, capacity: size * max(width, 1)) { block in
            withUnsafeTemporaryAllocation(of: Int.self, capacity: size) { places in
                guard let block = block.baseAddress, let places = places.baseAddress else { return }
                var index = 0
                while index < call.activeCount {
                    let count = gather(&index, block, places)
                    if count > 0 { body(block, count, places) }
                }
            }
        }
    }

    /// Fills a block with the active rows from `index` on.
    private func gather(
        _ index: inout Int, _ block: UnsafeMutablePointer<Double>,
        _ places: UnsafeMutablePointer<Int>
    ) -> Int {
        let taken = min(ForestScorer.blockRows, call.activeCount - index)
        for offset in 0..<taken {
            places[offset] = call.selection.map { Int($0[index &+ offset]) } ?? index &+ offset
        }
        index += taken
        var isFinite = true
        for feature in 0..<width {
            let vector = call.arguments[feature + 1]
            let values = vector.pointer(as: Double.self)
            var target = block + feature &* featureStride
            for offset in 0..<taken {
                let value = values[vector.valueIndex(places[offset])]
                isFinite = isFinite && value.isFinite
                target.pointee = value
                target += rowStride
            }
        }
        return isFinite ? taken : keepFinite(taken, block, places)
    }

    /// Moves the rows whose features are all finite to the front; the others are NULL.
    private func keepFinite(
        _ count: Int, _ block: UnsafeMutablePointer<Double>, _ places: UnsafeMutablePointer<Int>
    ) -> Int {
        var kept = 0
        for offset in 0..<count {
            let row = block + offset * rowStride
            guard (0..<width).allSatisfy({ row[$0 * featureStride].isFinite }) else {
                setNull(places[offset])
                continue
            }
            if kept < offset {
                let target = block + kept * rowStride
                for feature in 0..<width {
                    target[feature * featureStride] = row[feature * featureStride]
                }
                places[kept] = places[offset]
            }
            kept += 1
        }
        return kept
    }

    private func setNull(_ place: Int) {
        let result = call.result.pointee
        if let bits = result.valid { ValidityBits.clear(bits, place) }
        (result.values + place * result.physical.width).initializeMemory(
            as: UInt8.self, repeating: 0, count: result.physical.width)
    }
}

/// Maps of features to their parts, largest first; equal parts in the features' order.
private func explain(_ scorer: ForestScorer, _ features: [ModelFeature], _ call: KernelCall) {
    let width = features.count
    let pairCount = call.activeCount * width
    let entries = call.result.pointee.pointer(as: ListEntry.self)
    entries.update(repeating: ListEntry(offset: 0, count: 0), count: call.rowCount)
    do throws(MemoryLimitFault) {
        let children = try call.heap.allocate(MemoryLayout<Vector>.stride * 2)
            .bindMemory(to: Vector.self, capacity: 2)
        let keys = try call.heap.allocate((pairCount + 4) * 16)
            .bindMemory(to: StringView.self, capacity: pairCount + 4)
        let values = try call.heap.allocate((pairCount + 8) * 8)
            .bindMemory(to: Double.self, capacity: pairCount + 8)
        var names: [StringView] = []
        for feature in features {
            let bytes = Array(feature.name.utf8)
            let copy = try call.heap.allocate(bytes.count + 16)
                .bindMemory(to: UInt8.self, capacity: bytes.count + 16)
            for (index, byte) in bytes.enumerated() { copy[index] = byte }
            names.append(StringView(copy, count: bytes.count))
        }
        var written = 0
        FeatureBlocks(call, .byFeature).eachBlock { block, count, places in
            withScratch(width) { parts in
                for index in 0..<count {
                    scorer.explain(block, row: index, into: parts)
                    let order = (0..<width).sorted {
                        parts[$0] != parts[$1] ? parts[$0] > parts[$1] : $0 < $1
                    }
                    entries[places[index]] = ListEntry(
                        offset: UInt32(truncatingIfNeeded: written),
                        count: UInt32(truncatingIfNeeded: width))
                    for feature in order {
                        keys[written] = names[feature]
                        values[written] = parts[feature]
                        written += 1
                    }
                }
            }
        }
        children.initialize(to: Vector(physical: .string, values: UnsafeMutableRawPointer(keys)))
        (children + 1).initialize(
            to: Vector(physical: .double, values: UnsafeMutableRawPointer(values)))
        call.result.pointee.children = children
        call.result.pointee.entryCount = UInt32(truncatingIfNeeded: written)
    } catch {
        call.context.fail(
            QueryFault(.exceededMemoryLimit, error.message, hint: error.hint, cause: error))
        for index in 0..<call.rowCount {
            if let bits = call.result.pointee.valid { ValidityBits.clear(bits, index) }
        }
    }
}
