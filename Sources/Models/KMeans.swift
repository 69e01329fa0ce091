import SQLFunctions

/// Clusters by the nearest center. Features are standardized first unless that is turned off.
///
/// Clusters are numbered from 0 by falling size, of equal ones by their center.
struct KMeans: Sendable {
    var scaling: FeatureScaling
    /// Over standardized features, center after center.
    var centers: [Double]
    var clusterCount: Int

    /// What training found besides the centers.
    struct Outcome {
        var inertia: Double
        var iterations: Int
        var sizes: [Int]
    }

    /// The nearest center of a row; of equal ones the first.
    func cluster(_ row: UnsafePointer<Double>, _ scratch: UnsafeMutablePointer<Double>) -> Int {
        for feature in 0..<scaling.count {
            scratch[feature] = scaling.scaled(row[feature], feature)
        }
        return centers.withUnsafeBufferPointer { centers in
            guard let base = centers.baseAddress else { return 0 }
            return Self.nearest(scratch, base, clusterCount, scaling.count).cluster
        }
    }

    @inline(__always) fileprivate static func nearest(
        _ row: UnsafePointer<Double>, _ centers: UnsafePointer<Double>, _ count: Int, _ width: Int
    ) -> (cluster: Int, distance: Double) {
        var best = (cluster: 0, distance: Double.infinity)
        for cluster in 0..<count {
            let distance = squaredDistance(row, centers + cluster &* width, width)
            if distance < best.distance { best = (cluster, distance) }
        }
        return best
    }

    @inline(__always) fileprivate static func squaredDistance(
        _ left: UnsafePointer<Double>, _ right: UnsafePointer<Double>, _ width: Int
    ) -> Double {
        var sum = 0.0
        for feature in 0..<width {
            let difference = left[feature] - right[feature]
            sum += difference * difference
        }
        return sum
    }

    static func train(
        _ table: TrainingTable, clusters: Int, iterations: Int, restarts: Int, standardize: Bool,
        seed: Int64, check: () throws(QueryFault) -> Void
    ) throws(QueryFault) -> (model: KMeans, outcome: Outcome) {
        let width = table.featureCount
        let scaling = FeatureScaling(table, standardizes: standardize)
        let rows = table.standardized(scaling)
        var best: Lloyd?
        for restart in 0..<restarts {
            var lloyd = Lloyd(rows: rows, width: width, count: clusters)
            lloyd.choose(
                SeededNumbers(seed: UInt64(bitPattern: seed), stream: UInt64(restart)))
            while lloyd.iterations < iterations {
                try check()
                if !lloyd.step() { break }
            }
            lloyd.assign()
            if lloyd.inertia < best?.inertia ?? .infinity { best = lloyd }
        }
        guard let best else {
            throw QueryFault(.invalidFunctionArgument, "kmeans found no clusters")
        }
        let order = (0..<clusters).sorted { left, right in
            if best.sizes[left] != best.sizes[right] { return best.sizes[left] > best.sizes[right] }
            for feature in 0..<width {
                let (a, b) = (
                    best.centers[left * width + feature], best.centers[right * width + feature]
                )
                if a != b { return a < b }
            }
            return left < right
        }
        let centers = order.flatMap { best.centers[($0 * width)..<(($0 + 1) * width)] }
        return (
            KMeans(scaling: scaling, centers: centers, clusterCount: clusters),
            Outcome(
                inertia: best.inertia, iterations: best.iterations,
                sizes: order.map { best.sizes[$0] })
        )
    }

    // MARK: Form

    func write(_ writer: inout CanonicalWriter) {
        scaling.write(&writer)
        writer.put(clusterCount)
        writer.put(centers)
    }

    init(_ reader: inout CanonicalReader) throws(ModelError) {
        scaling = try FeatureScaling(&reader)
        clusterCount = try reader.int()
        centers = try reader.doubles()
        guard (1...Limits.clusters).contains(clusterCount),
            centers.count == clusterCount * scaling.count
        else { throw .damaged("centers of another shape") }
    }

    init(scaling: FeatureScaling, centers: [Double], clusterCount: Int) {
        self.scaling = scaling
        self.centers = centers
        self.clusterCount = clusterCount
    }
}

/// One run of Lloyd's algorithm. Sums go over the rows in canonical order.
private struct Lloyd {
    let rows: [Double]
    let width: Int
    let count: Int
    private(set) var centers: [Double] = []
    private(set) var sizes: [Int]
    private(set) var inertia = Double.infinity
    private(set) var iterations = 0
    private var owners: [Int]
    private let rowCount: Int

    init(rows: [Double], width: Int, count: Int) {
        self.rows = rows
        self.width = width
        self.count = count
        rowCount = rows.count / width
        sizes = [Int](repeating: 0, count: count)
        owners = [Int](repeating: -1, count: rowCount)
    }

    private func row(_ index: Int) -> ArraySlice<Double> {
        rows[(index * width)..<((index + 1) * width)]
    }

    /// The first centers: rows, each the likelier the farther it is from those chosen before.
    mutating func choose(_ source: SeededNumbers) {
        var numbers = source
        centers = Array(row(numbers.below(rowCount)))
        var distances = [Double](repeating: .infinity, count: rowCount)
        while centers.count < count * width {
            var total = 0.0
            let last = centers.count - width
            rows.withUnsafeBufferPointer { rows in
                centers.withUnsafeBufferPointer { centers in
                    guard let rows = rows.baseAddress, let centers = centers.baseAddress else {
                        return
                    }
                    for index in 0..<rowCount {
                        let distance = KMeans.squaredDistance(
                            rows + index * width, centers + last, width)
                        if distance < distances[index] { distances[index] = distance }
                        total += distances[index]
                    }
                }
            }
            var rest = numbers.fraction() * total
            var pick = rowCount - 1
            for index in 0..<rowCount {
                rest -= distances[index]
                if rest < 0 {
                    pick = index
                    break
                }
            }
            centers += row(pick)
        }
    }

    /// Gives each row to its nearest center; whether any changed hands.
    @discardableResult
    mutating func assign() -> Bool {
        var changed = false
        var sum = 0.0
        var sizes = [Int](repeating: 0, count: count)
        rows.withUnsafeBufferPointer { rows in
            centers.withUnsafeBufferPointer { centers in
                guard let rows = rows.baseAddress, let centers = centers.baseAddress else { return }
                for index in 0..<rowCount {
                    let (cluster, distance) = KMeans.nearest(
                        rows + index * width, centers, count, width)
                    if owners[index] != cluster {
                        owners[index] = cluster
                        changed = true
                    }
                    sizes[cluster] += 1
                    sum += distance
                }
            }
        }
        self.sizes = sizes
        inertia = sum
        return changed
    }

    /// One round; false where nothing changed.
    mutating func step() -> Bool {
        iterations += 1
        guard assign() else { return false }
        var sums = [Double](repeating: 0, count: count * width)
        for index in 0..<rowCount {
            let start = owners[index] * width
            for feature in 0..<width { sums[start + feature] += rows[index * width + feature] }
        }
        for cluster in 0..<count where sizes[cluster] > 0 {
            // A center without rows stays where it is.
            for feature in 0..<width {
                centers[cluster * width + feature] =
                    sums[cluster * width + feature] / Double(sizes[cluster])
            }
        }
        return true
    }
}
