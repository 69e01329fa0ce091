import Bytes

/// A quantile digest: counts of ranges of 64-bit values, small ranges joined while they hold few values.
///
/// A range is a prefix of the value's bits (order kept: the sign bit is flipped) of which the last `level`
/// bits are open; ranges nest, so they are a binary tree. The bytes are Airlift's:
///
///     [0][max error f64][alpha f64][landmark i64][min i64][max i64][nodes i32]
///     [structure: level 6 bits, has right, has left][count f64][value u64] … in post-order
///
/// Source: airlift/airlift, `stats/docs/qdigest.md`; Shrivastava and others, "Medians and beyond: new
/// aggregation techniques for sensor networks", 2004. Digests with decay (alpha) are refused.
struct QuantileDigest {
    static let defaultError = 0.01

    private struct Node {
        var bits: UInt64
        var level: Int
        var count: Double
        var left: Int?
        var right: Int?

        /// The open bits.
        var mask: UInt64 { level == 0 ? 0 : .max >> UInt64(64 - level) }
        var lower: Int64 { Int64(bitPattern: (bits & ~mask) ^ 1 << 63) }
        var upper: Int64 { Int64(bitPattern: (bits | mask) ^ 1 << 63) }
    }

    private(set) var maxError: Double
    private(set) var minimum = Int64.max
    private(set) var maximum = Int64.min
    private var totalWeight = 0.0
    /// In post-order: the last is the root.
    private var nodes: [Node] = []

    init(maxError: Double = Self.defaultError) { self.maxError = maxError }

    /// Adds values with their weights, which are positive.
    mutating func add(_ values: some Collection<(value: Int64, weight: Double)>) {
        for (value, weight) in values {
            minimum = min(minimum, value)
            maximum = max(maximum, value)
            let bits = UInt64(bitPattern: value) ^ 1 << 63
            nodes.append(Node(bits: bits, level: 0, count: weight))
        }
        rebuild()
    }

    /// Adds what another digest has seen. The larger of both errors holds.
    mutating func merge(_ other: QuantileDigest) {
        maxError = max(maxError, other.maxError)
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        nodes += other.nodes
        rebuild()
    }

    // MARK: The tree

    /// Makes the tree anew of all ranges with a count, and joins what may be joined.
    private mutating func rebuild() {
        var ranges = nodes.filter { $0.count > 0 }
        for index in ranges.indices { ranges[index].bits &= ~ranges[index].mask }
        // A range stands before those within it.
        ranges.sort { ($0.bits, -$0.level) < ($1.bits, -$1.level) }
        var unique: [Node] = []
        totalWeight = 0
        for range in ranges {
            totalWeight += range.count
            if let last = unique.last, last.bits == range.bits, last.level == range.level {
                unique[unique.count - 1].count += range.count
            } else {
                unique.append(range)
            }
        }
        nodes = []
        guard !unique.isEmpty else { return }
        let rootLevel = Self.commonLevel(unique[...])
        let factor = max((Double(rootLevel + 1) / maxError).rounded(.down), 1)
        let bound = (totalWeight / factor).rounded(.down)
        _ = build(unique[...], bound)
    }

    /// The level of the smallest range that holds all of the sorted ones.
    private static func commonLevel(_ ranges: ArraySlice<Node>) -> Int {
        guard let first = ranges.first, let last = ranges.last else { return 0 }
        return max(first.level, 64 - (first.bits ^ last.bits).leadingZeroBitCount)
    }

    /// Builds the subtree of the sorted ranges; returns the place of its root, which is its last node.
    ///
    /// Children are built before their parent. A parent takes the counts of children whose sum with its
    /// own is under the bound; what such a child leaves behind is gone if it was a leaf, is its only child
    /// if it had one, and else stays with a count of zero.
    private mutating func build(_ ranges: ArraySlice<Node>, _ bound: Double) -> Int {
        let level = Self.commonLevel(ranges)
        var rest = ranges
        var node = Node(bits: 0, level: level, count: 0)
        if let first = rest.first, first.level == level {
            node = first
            rest = rest.dropFirst()
        } else if let first = rest.first {
            node.bits = first.bits
            node.bits &= ~node.mask
        }
        node.left = nil
        node.right = nil
        if level > 0, !rest.isEmpty {
            let branch: UInt64 = 1 << UInt64(level - 1)
            let split = rest.firstIndex { $0.bits & branch != 0 } ?? rest.endIndex
            if split > rest.startIndex { node.left = build(rest[..<split], bound) }
            if split < rest.endIndex { node.right = build(rest[split...], bound) }
        }
        let leftCount = node.left.map { nodes[$0].count } ?? 0
        let rightCount = node.right.map { nodes[$0].count } ?? 0
        let isJoined = node.count + leftCount + rightCount < bound
        if let left = node.left, isJoined || leftCount <= 0 {
            node.left = remove(left)
            node.count += leftCount
        }
        if let right = node.right, isJoined || rightCount <= 0 {
            node.right = remove(right)
            node.count += rightCount
        }
        nodes.append(node)
        return nodes.count - 1
    }

    /// Takes a node out of the tree; what stands in its place. Nodes that nothing points to are dropped
    /// when the tree is written or built again.
    private mutating func remove(_ place: Int) -> Int? {
        let node = nodes[place]
        nodes[place].count = 0
        if node.left != nil, node.right != nil { return place }
        return node.left ?? node.right
    }

    /// Calls `visit` for each node in post-order until it says stop.
    private func visitAll(_ visit: (Node) -> Bool) {
        guard !nodes.isEmpty else { return }
        // A place and whether its children were pushed.
        var stack: [(place: Int, isOpen: Bool)] = [(nodes.count - 1, false)]
        while let (place, isOpen) = stack.popLast() {
            let node = nodes[place]
            if isOpen || (node.left == nil && node.right == nil) {
                if !visit(node) { return }
                continue
            }
            stack.append((place, true))
            if let right = node.right { stack.append((right, false)) }
            if let left = node.left { stack.append((left, false)) }
        }
    }

    // MARK: Questions

    /// The value at a quantile from 0 to 1, at most `maxError` above; nil of an empty digest.
    func value(at quantile: Double) -> Int64? {
        guard !nodes.isEmpty else { return nil }
        var sum = 0.0
        var answer = maximum
        visitAll { node in
            sum += node.count
            guard sum > quantile * totalWeight else { return true }
            answer = min(node.upper, maximum)
            return false
        }
        return answer
    }

    /// The part of all values that is less than `value`; nil outside of what was seen.
    func quantile(of value: Int64) -> Double? {
        guard !nodes.isEmpty, value >= minimum, value <= maximum else { return nil }
        var sum = 0.0
        visitAll { node in
            guard value > node.upper else { return false }
            sum += node.count
            return true
        }
        return sum / totalWeight
    }

    // MARK: Bytes

    var serialized: [UInt8] {
        var records = ByteBuffer()
        var count: Int32 = 0
        visitAll { node in
            // Of a node with children the level is written one less, so that 64 fits.
            let isLeaf = node.left == nil && node.right == nil
            var structure = UInt8(isLeaf ? min(node.level, 63) : node.level - 1) << 2
            if node.left != nil { structure |= 1 }
            if node.right != nil { structure |= 2 }
            records.append(structure)
            records.appendDoubleLE(node.count)
            records.appendUInt64LE(node.bits)
            count += 1
            return true
        }
        var bytes = ByteBuffer(capacity: 45 + records.count)
        bytes.append(0)
        bytes.appendDoubleLE(maxError)
        bytes.appendDoubleLE(0)
        bytes.appendInt64LE(0)
        bytes.appendInt64LE(minimum)
        bytes.appendInt64LE(maximum)
        bytes.appendInt32LE(count)
        bytes.append(records.bytes)
        return bytes.bytes
    }

    init(_ bytes: [UInt8]) throws(QueryFault) {
        maxError = Self.defaultError
        do throws(BytesError) {
            var reader = ByteReader(bytes)
            let format = try reader.readUInt8()
            maxError = try reader.readDoubleLE()
            let alpha = try reader.readDoubleLE()
            _ = try reader.readInt64LE()
            minimum = try reader.readInt64LE()
            maximum = try reader.readInt64LE()
            let count = Int(try reader.readInt32LE())
            guard format == 0, alpha == 0, (0...1).contains(maxError), count >= 0,
                reader.remaining == count * 17
            else { throw BytesError.notADigest }
            try readNodes(count, &reader)
        } catch { throw invalid("Cannot deserialize qdigest") }
    }

    private mutating func readNodes(_ count: Int, _ reader: inout ByteReader) throws(BytesError) {
        var open: [Int] = []
        for place in 0..<count {
            let structure = try reader.readUInt8()
            var node = Node(
                bits: 0, level: Int(structure >> 2), count: try reader.readDoubleLE())
            node.bits = try reader.readUInt64LE()
            if structure & 3 != 0 { node.level += 1 }
            guard node.count >= 0, node.count.isFinite else { throw BytesError.notADigest }
            for (flag, branch) in [(UInt8(2), UInt64(1)), (1, 0)] where structure & flag != 0 {
                guard let child = open.popLast(), nodes[child].level < node.level,
                    nodes[child].bits & ~node.mask == node.bits & ~node.mask,
                    nodes[child].bits >> UInt64(node.level - 1) & 1 == branch
                else { throw BytesError.notADigest }
                if branch == 1 { node.right = child } else { node.left = child }
            }
            totalWeight += node.count
            nodes.append(node)
            open.append(place)
        }
        guard open.count <= 1, count == 0 || totalWeight > 0 else { throw BytesError.notADigest }
    }
}

/// Doubles and reals as integers of the same order.
enum SortableBits {
    static func of(_ value: Double) -> Int64 { flipped(Int64(bitPattern: value.bitPattern)) }
    static func double(_ bits: Int64) -> Double {
        Double(bitPattern: UInt64(bitPattern: flipped(bits)))
    }

    static func of(real value: Double) -> Int64 {
        let bits = Int32(bitPattern: Float(value).bitPattern)
        return Int64((bits >> 31) & .max ^ bits)
    }
    static func real(_ bits: Int64) -> Double {
        let narrow = Int32(truncatingIfNeeded: bits)
        return Double(Float(bitPattern: UInt32(bitPattern: (narrow >> 31) & .max ^ narrow)))
    }

    private static func flipped(_ bits: Int64) -> Int64 { (bits >> 63) & .max ^ bits }
}
