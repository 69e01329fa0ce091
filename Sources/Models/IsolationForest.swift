/// An isolation forest: rows that few random cuts set apart from the others are unusual.
///
/// Trees are built as scikit-learn builds them: a sample without replacement, at each node a feature
/// that is not constant there and a cut between its least and greatest value, down to the depth
/// ⌈log2 samples⌉. A leaf's path length is its depth plus what a tree over its rows would add.
struct IsolationForest: Sendable {
    /// A node in preorder: the left subtree follows, then the right one.
    struct Node: Sendable {
        /// -1: a leaf.
        var feature: Int
        /// Rows at or below it go left.
        var cut: Double
        /// Rows of the sample that came here.
        var size: Int
    }

    var featureCount: Int
    /// Rows that each tree saw.
    var sampleSize: Int
    /// Scores above it are called anomalies.
    var threshold: Double
    var trees: [[Node]]

    /// The depth at which trees end.
    static func depthLimit(_ sampleSize: Int) -> Int {
        sampleSize <= 2 ? 1 : Int.bitWidth - (sampleSize - 1).leadingZeroBitCount
    }

    /// The mean path length of a search that fails in a binary tree of `size` rows. Source: Liu et al.,
    /// equation 1.
    static func pathLength(_ size: Int) -> Double {
        if size <= 1 { return 0 }
        if size == 2 { return 1 }
        let count = Double(size)
        let harmonic = StableMath.ln(count - 1) + 0.577_215_664_901_532_9
        return 2 * harmonic - 2 * (count - 1) / count
    }

    static func train(_ table: TrainingTable, trees: Int, samples: Int, seed: Int64)
        -> IsolationForest
    {
        let sampleSize = min(samples, table.rowCount)
        var grown: [[Node]] = []
        grown.reserveCapacity(trees)
        for tree in 0..<trees {
            var grower = TreeGrower(
                table: table, depthLimit: depthLimit(sampleSize),
                numbers: SeededNumbers(seed: UInt64(bitPattern: seed), stream: UInt64(tree)))
            grown.append(grower.grow(sampleSize))
        }
        return IsolationForest(
            featureCount: table.featureCount, sampleSize: sampleSize, threshold: 0.5, trees: grown)
    }

    // MARK: Form

    func write(_ writer: inout CanonicalWriter) {
        writer.put(featureCount)
        writer.put(sampleSize)
        writer.put(threshold)
        writer.put(trees.count)
        for tree in trees {
            writer.put(tree.count)
            for node in tree {
                writer.put(node.feature)
                writer.put(node.cut)
                writer.put(node.size)
            }
        }
    }

    init(_ reader: inout CanonicalReader) throws(ModelError) {
        featureCount = try reader.int()
        sampleSize = try reader.int()
        threshold = try reader.double()
        guard (1...Limits.features).contains(featureCount),
            (1...Limits.samples).contains(sampleSize)
        else { throw .damaged("a forest of \(featureCount) features, \(sampleSize) samples") }
        trees = []
        for _ in 0..<(try reader.count(bytesEach: 8)) {
            var nodes: [Node] = []
            for _ in 0..<(try reader.count(bytesEach: 24)) {
                nodes.append(
                    Node(
                        feature: try reader.int(), cut: try reader.double(),
                        size: try reader.int()))
            }
            guard nodes.allSatisfy({ $0.feature >= -1 && $0.feature < featureCount }) else {
                throw .damaged("a node cuts a feature that is not there")
            }
            trees.append(nodes)
        }
        guard !trees.isEmpty, trees.count <= Limits.trees else {
            throw .damaged("a forest of \(trees.count) trees")
        }
    }

    init(featureCount: Int, sampleSize: Int, threshold: Double, trees: [[Node]]) {
        self.featureCount = featureCount
        self.sampleSize = sampleSize
        self.threshold = threshold
        self.trees = trees
    }
}

/// Grows one tree.
private struct TreeGrower {
    let table: TrainingTable
    let depthLimit: Int
    var numbers: SeededNumbers
    private var rows: [Int] = []
    private var candidates: [Int]
    private var nodes: [IsolationForest.Node] = []

    init(table: TrainingTable, depthLimit: Int, numbers: SeededNumbers) {
        self.table = table
        self.depthLimit = depthLimit
        self.numbers = numbers
        candidates = Array(0..<table.featureCount)
    }

    mutating func grow(_ sampleSize: Int) -> [IsolationForest.Node] {
        rows = sample(sampleSize)
        split(0, rows.count, depth: 0)
        return nodes
    }

    /// Distinct rows, each set of them as likely as any other. Source: Floyd, "Programming Pearls"
    /// (Bentley, 1987).
    private mutating func sample(_ size: Int) -> [Int] {
        var chosen: Set<Int> = []
        var order: [Int] = []
        order.reserveCapacity(size)
        for last in (table.rowCount - size)..<table.rowCount {
            let pick = numbers.below(last + 1)
            let row = chosen.contains(pick) ? last : pick
            chosen.insert(row)
            order.append(row)
        }
        return order
    }

    /// Recursion ends at `depthLimit`, which is at most twelve.
    private mutating func split(_ start: Int, _ end: Int, depth: Int) {
        let at = nodes.count
        nodes.append(IsolationForest.Node(feature: -1, cut: 0, size: end - start))
        guard depth < depthLimit, end - start > 1, let (feature, low, high) = cuttable(start, end)
        else { return }
        let part = numbers.fraction()
        // Not low + part · (high - low), whose difference may overflow.
        var cut = (1 - part) * low + part * high
        if cut >= high || cut < low { cut = low }
        var middle = start
        for place in start..<end where table.value(rows[place], feature) <= cut {
            rows.swapAt(place, middle)
            middle += 1
        }
        nodes[at].feature = feature
        nodes[at].cut = cut
        split(start, middle, depth: depth + 1)
        split(middle, end, depth: depth + 1)
    }

    /// A random feature among those that vary in these rows, with its bounds.
    private mutating func cuttable(_ start: Int, _ end: Int) -> (Int, Double, Double)? {
        // The order of candidates carries over from node to node as in scikit-learn: it stays random.
        var left = candidates.count
        while left > 0 {
            let pick = numbers.below(left)
            let feature = candidates[pick]
            var low = table.value(rows[start], feature)
            var high = low
            for place in (start + 1)..<end {
                let value = table.value(rows[place], feature)
                if value < low { low = value }
                if value > high { high = value }
            }
            if high > low { return (feature, low, high) }
            left -= 1
            candidates.swapAt(pick, left)
        }
        return nil
    }
}
