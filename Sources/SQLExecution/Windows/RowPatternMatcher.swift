import SQLFunctions
import SQLPlanning

/// Finds matches of a row pattern in a partition by backtracking, preferred alternatives first.
///
/// Where conditions look at the row and its neighbours only, a place of the program that once failed at a
/// row fails there always: it is remembered, and all matches of a partition together take time in
/// proportion to its rows and the program. Otherwise a match has a limit of steps.
final class RowPatternMatcher {
    /// Steps of one match that cannot remember what failed.
    static let stepLimit = 20_000_000

    private enum Frame {
        case choice(place: Int, row: Int, taken: Int, exclusions: Int)
        case restore(loop: Int, row: Int)
    }

    private let program: RowPatternProgram
    /// The labels of the rows that the match has taken, by their distance from its first.
    private(set) var labels: [Int] = []
    /// Rows at which an exclusion begins or ends, in the order of the match.
    private var exclusions: [(row: Int, isBegin: Bool)] = []
    private var frames: [Frame] = []
    private var loops: [Int]
    private var range = 0..<0

    /// Places that failed, as a bit for each place and row; empty when nothing is remembered.
    private var failed: [UInt64] = []
    /// The bits of the rows taken at the moment.
    private var path: [Int] = []
    private static let rememberedBits = 1 << 28

    init(_ program: RowPatternProgram) {
        self.program = program
        loops = [Int](repeating: -1, count: program.loopCount)
    }

    /// Begins with the rows of a partition.
    func begin(_ range: Range<Int>, remembers: Bool) {
        self.range = range
        let bits = program.steps.count.multipliedReportingOverflow(by: range.count + 1)
        let isSmall = !bits.overflow && bits.partialValue <= Self.rememberedBits
        failed =
            remembers && isSmall
            ? [UInt64](repeating: 0, count: bits.partialValue / 64 + 1) : []
    }

    /// Looks for a match that begins at the row; `labels` are its rows then, none for an empty match.
    ///
    /// `holds` tells whether a row may have a label, after the rows in `labels`.
    func match(
        at start: Int, isStopped: () -> Bool, holds: (Int, Int) throws(QueryFault) -> Bool
    ) throws(QueryFault) -> Bool {
        labels.removeAll(keepingCapacity: true)
        exclusions.removeAll(keepingCapacity: true)
        frames.removeAll(keepingCapacity: true)
        path.removeAll(keepingCapacity: true)
        for index in loops.indices { loops[index] = -1 }
        var place = 0
        var row = start
        var count = 0
        while true {
            count += 1
            if count & 0xFFF == 0, isStopped() { return false }
            if failed.isEmpty, count > Self.stepLimit {
                throw QueryFault(
                    .genericInsufficientResources,
                    "a row pattern took more than \(Self.stepLimit) steps at one row",
                    hint: "write conditions that tell earlier which rows do not match")
            }
            var isMatching = true
            switch program.steps[place] {
            case .accept:
                // What the match was made of has not failed.
                for bit in path { failed[bit >> 6] &= ~(1 << UInt64(bit & 63)) }
                return true
            case .label(let label):
                isMatching = try take(label, at: row, place, holds)
                if isMatching {
                    row += 1
                    place += 1
                }
            case .jump(let target): place = target
            case .split(let first, let second):
                frames.append(
                    .choice(
                        place: second, row: row, taken: labels.count, exclusions: exclusions.count))
                place = first
            case .start:
                isMatching = row == range.lowerBound
                place += 1
            case .end:
                isMatching = row == range.upperBound
                place += 1
            case .excludeBegin:
                exclusions.append((row, true))
                place += 1
            case .excludeEnd:
                exclusions.append((row, false))
                place += 1
            case .enterLoop(let loop):
                frames.append(.restore(loop: loop, row: loops[loop]))
                loops[loop] = row
                place += 1
            case .checkLoop(let loop, let exit): place = row == loops[loop] ? exit : place + 1
            }
            if isMatching { continue }
            guard let back = backtrack() else { return false }
            (place, row) = back
        }
    }

    private func take(
        _ label: Int, at row: Int, _ place: Int, _ holds: (Int, Int) throws(QueryFault) -> Bool
    ) throws(QueryFault) -> Bool {
        guard row < range.upperBound else { return false }
        if !failed.isEmpty {
            let bit = place * (range.count + 1) + row - range.lowerBound
            let mask: UInt64 = 1 << UInt64(bit & 63)
            if failed[bit >> 6] & mask != 0 { return false }
            failed[bit >> 6] |= mask
            guard try holds(label, row) else { return false }
            path.append(bit)
        } else {
            guard try holds(label, row) else { return false }
        }
        labels.append(label)
        return true
    }

    /// The next alternative; nil when there is none left.
    private func backtrack() -> (place: Int, row: Int)? {
        while let frame = frames.popLast() {
            switch frame {
            case .restore(let loop, let row): loops[loop] = row
            case .choice(let place, let row, let taken, let excluded):
                labels.removeLast(labels.count - taken)
                if path.count > taken { path.removeLast(path.count - taken) }
                exclusions.removeLast(exclusions.count - excluded)
                return (place, row)
            }
        }
        return nil
    }

    /// For each row of the match, by its distance from the first: whether an exclusion has it.
    func excluded(from start: Int) -> [Bool] {
        var result = [Bool](repeating: false, count: labels.count)
        var depth = 0
        var begin = start
        for event in exclusions {
            if event.isBegin {
                if depth == 0 { begin = event.row }
                depth += 1
            } else {
                depth -= 1
                if depth == 0 {
                    for row in begin..<max(begin, event.row) { result[row - start] = true }
                }
            }
        }
        return result
    }
}
