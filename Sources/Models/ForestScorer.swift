import SQLFunctions

/// An isolation forest laid out for scoring: every tree is a full binary tree of the same depth, so that
/// a walk is a fixed number of steps without a branch.
///
/// Below a leaf that ends early stand nodes that send every row left. A tree's nodes and leaves fit the
/// first-level cache, and eight rows walk side by side, so that their loads overlap.
final class ForestScorer: @unchecked Sendable {
    // Safe because the memory is written in `init` only.

    private struct Step {
        var cut: Double
        /// Where the feature's values begin in a block: its number times `blockRows`.
        var offset: Int
    }

    let featureCount: Int
    let treeCount: Int
    let threshold: Double
    /// What the whole sample's mean path adds to log2 of a score: the explanation's starting point.
    let baseline: Double
    private let depth: Int
    private let normal: Double
    private let steps: UnsafeMutablePointer<Step>
    private let leaves: UnsafeMutablePointer<Double>
    /// Mean path lengths of all nodes and leaves, for explanations: 2 · leaves - 1 a tree.
    private let means: UnsafeMutablePointer<Double>
    private let stepCount: Int
    private let leafCount: Int

    /// Rows of a block, which holds the values of one feature after those of another. One address and
    /// fixed distances reach all rows that walk together, and a block stays in the cache.
    static let blockRows = 128

    init(_ forest: IsolationForest) throws(ModelError) {
        featureCount = forest.featureCount
        treeCount = forest.trees.count
        threshold = forest.threshold
        depth = IsolationForest.depthLimit(forest.sampleSize)
        leafCount = 1 << depth
        stepCount = leafCount - 1
        normal = forest.sampleSize > 1 ? IsolationForest.pathLength(forest.sampleSize) : 1
        steps = .allocate(capacity: treeCount * stepCount)
        leaves = .allocate(capacity: treeCount * leafCount)
        means = .allocate(capacity: treeCount * (2 * leafCount - 1))
        steps.initialize(repeating: Step(cut: .infinity, offset: 0), count: treeCount * stepCount)
        leaves.initialize(repeating: 0, count: treeCount * leafCount)
        means.initialize(repeating: 0, count: treeCount * (2 * leafCount - 1))
        var roots = 0.0
        var problem: ModelError?
        for (tree, nodes) in forest.trees.enumerated() {
            var at = 0
            var layout = TreeLayout(
                nodes: nodes, depth: depth, steps: steps + tree * stepCount,
                leaves: leaves + tree * leafCount,
                means: means + tree * (2 * leafCount - 1), stepCount: stepCount)
            if !layout.place(&at, slot: 0, level: 0) || at != nodes.count {
                problem = .damaged("a tree is not whole")
                break
            }
            roots += means[tree * (2 * leafCount - 1)]
        }
        baseline = -(roots / Double(treeCount)) / normal
        if let problem { throw problem }
    }

    deinit {
        steps.deallocate()
        leaves.deallocate()
        means.deallocate()
    }

    private struct TreeLayout {
        let nodes: [IsolationForest.Node]
        let depth: Int
        let steps: UnsafeMutablePointer<Step>
        let leaves: UnsafeMutablePointer<Double>
        let means: UnsafeMutablePointer<Double>
        let stepCount: Int

        /// Lays out the subtree at `at`; false where it is not one.
        mutating func place(_ at: inout Int, slot: Int, level: Int) -> Bool {
            guard at < nodes.count else { return false }
            let node = nodes[at]
            at += 1
            guard node.feature >= 0 else {
                fill(slot, Double(level) + IsolationForest.pathLength(node.size))
                return true
            }
            guard level < depth else { return false }
            steps[slot] = Step(
                cut: node.cut, offset: node.feature * ForestScorer.blockRows)
            guard at < nodes.count else { return false }
            let leftSize = nodes[at].size
            guard place(&at, slot: 2 * slot + 1, level: level + 1),
                place(&at, slot: 2 * slot + 2, level: level + 1), node.size > 0
            else { return false }
            let right = Double(node.size - leftSize) * means[2 * slot + 2]
            means[slot] = (Double(leftSize) * means[2 * slot + 1] + right) / Double(node.size)
            return true
        }

        /// Gives everything below a slot the leaf's path length.
        private func fill(_ slot: Int, _ length: Double) {
            means[slot] = length
            if slot >= stepCount {
                leaves[slot - stepCount] = length
            } else {
                fill(2 * slot + 1, length)
                fill(2 * slot + 2, length)
            }
        }
    }

    // MARK: Scores

    /// Scores up to `blockRows` rows of a block.
    func score(
        _ block: UnsafePointer<Double>, count: Int, into scores: UnsafeMutablePointer<Double>
    ) {
        for row in 0..<count { scores[row] = 0 }
        for tree in 0..<treeCount {
            addPaths(
                steps + tree &* stepCount, leaves + tree &* leafCount, block, count, scores)
        }
        for row in 0..<count {
            let score = StableMath.exp2(-(scores[row] / Double(treeCount)) / normal)
            scores[row] = abs(score - Self.ordinary) < Self.rounding ? Self.ordinary : score
        }
    }

    /// The score of a row whose mean path is that of any row. Sums over the trees miss it by their rounding,
    /// which must not make a forest over constants call every row an anomaly.
    private static let ordinary = 0.5
    private static let rounding = 1e-12

    @inline(__always) private func bit(_ flag: Bool) -> Int {
        Int(truncatingIfNeeded: unsafeBitCast(flag, to: UInt8.self))
    }

    private func addPaths(
        _ steps: UnsafePointer<Step>, _ leaves: UnsafePointer<Double>,
        _ block: UnsafePointer<Double>, _ count: Int, _ sums: UnsafeMutablePointer<Double>
    ) {
        let depth = self.depth
        let first = stepCount
        @inline(__always) func next(_ slot: Int, _ column: UnsafePointer<Double>, _ lane: Int)
            -> Int
        {
            let step = steps + slot
            let value = column[step.pointee.offset &+ lane]
            return 2 &* slot &+ 1 &+ bit(value > step.pointee.cut)
        }
        var row = 0
        while row &+ 8 <= count {
            let column = block + row
            var (a, b, c, d, e, f, g, h) = (0, 0, 0, 0, 0, 0, 0, 0)
            for _ in 0..<depth {
                a = next(a, column, 0)
                b = next(b, column, 1)
                c = next(c, column, 2)
                d = next(d, column, 3)
                e = next(e, column, 4)
                f = next(f, column, 5)
                g = next(g, column, 6)
                h = next(h, column, 7)
            }
            sums[row] += leaves[a &- first]
            sums[row &+ 1] += leaves[b &- first]
            sums[row &+ 2] += leaves[c &- first]
            sums[row &+ 3] += leaves[d &- first]
            sums[row &+ 4] += leaves[e &- first]
            sums[row &+ 5] += leaves[f &- first]
            sums[row &+ 6] += leaves[g &- first]
            sums[row &+ 7] += leaves[h &- first]
            row &+= 8
        }
        while row < count {
            var slot = 0
            for _ in 0..<depth { slot = next(slot, block, row) }
            sums[row] += leaves[slot &- first]
            row &+= 1
        }
    }

    /// Scores rows whose features lie row after row.
    func score(
        rows: UnsafePointer<Double>, count: Int, into scores: UnsafeMutablePointer<Double>
    ) {
        let size = Self.blockRows
        withUnsafeTemporaryAllocation(of: Double.self, capacity: size * featureCount) { buffer in
            guard let block = buffer.baseAddress else { return }
            var start = 0
            while start < count {
                let taken = min(size, count - start)
                for row in 0..<taken {
                    let values = rows + (start + row) * featureCount
                    for feature in 0..<featureCount {
                        block[feature &* size &+ row] = values[feature]
                    }
                }
                score(block, count: taken, into: scores + start)
                start += taken
            }
        }
    }

    // MARK: Explanations

    /// What each feature adds to log2 of the row's score: the score is two to the power of `baseline`
    /// plus these. A step of a walk changes the mean path length that is to be expected, and the change
    /// is the cut feature's (Saabas' attribution for trees).
    func explain(
        _ block: UnsafePointer<Double>, row: Int, into parts: UnsafeMutablePointer<Double>
    ) {
        for feature in 0..<featureCount { parts[feature] = 0 }
        for tree in 0..<treeCount {
            let steps = steps + tree * stepCount
            let means = means + tree * (2 * leafCount - 1)
            var slot = 0
            for _ in 0..<depth {
                let step = steps[slot]
                let next = 2 * slot + 1 + bit(block[step.offset + row] > step.cut)
                parts[step.offset / Self.blockRows] += means[next] - means[slot]
                slot = next
            }
        }
        for feature in 0..<featureCount {
            parts[feature] = -(parts[feature] / Double(treeCount)) / normal
        }
    }
}
