import SQLFunctions
import Vectors

/// approx_set, tdigest_agg, qdigest_agg, make_set_digest: values wait in the state and are folded into a
/// digest's bytes when there are many; and the aggregates that merge digests.
///
///     state: a string view on a block, made when the first value comes
///     block: [waiting u32][digest bytes u32][waiting room u32][digest room u32][parameter f64]
///            then (value u64, weight f64) for the waiting room, then the digest
///
/// A block holds no pointers: rows are spilled with it. Blocks grow by being made anew in the group's
/// heap; where two groups are merged, which gives no heap, in memory of the accumulator.
final class SketchAccumulator: Accumulator {
    private enum Input {
        /// Values of a type, hashed or made numbers; columns of weights and of the parameter.
        case values(LogicalType, weight: Int?, parameter: Int?)
        case digests
    }

    private static let headBytes = 24
    private static let firstRoom = 8
    /// More values than these do not wait.
    private static let largestRoom = 512

    private let kind: SketchFolding.Kind
    private let digestType: OpaqueType
    private let input: Input
    /// Blocks that were made by merging groups.
    private var merged: [UnsafeMutableRawPointer] = []
    /// What went wrong while groups were merged; reported when they are finished.
    private var fault: QueryFault?

    /// Nil for aggregates that make no digest.
    init?(_ function: ResolvedAggregate) {
        guard let kind = SketchFolding.Kind(function.result), let type = function.parameters.first,
            case .opaque(let digest) = function.result
        else { return nil }
        self.kind = kind
        digestType = digest
        if case .opaque = type {
            input = .digests
        } else {
            let last = function.parameters.count - 1
            switch digest {
            case .tdigest, .qdigest:
                input = .values(type, weight: last > 0 ? 1 : nil, parameter: last > 1 ? 2 : nil)
            default: input = .values(type, weight: nil, parameter: last > 0 ? 1 : nil)
            }
        }
        super.init(size: 16)
    }

    deinit { for block in merged { block.deallocate() } }

    override var viewOffsets: [Int] { [0] }

    // MARK: Values

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        do throws(QueryFault) {
            for index in 0..<count where isPresent(arguments[0].valid, index) {
                let partition = storePartition(groups[index], store)
                switch input {
                case .digests:
                    let view = arguments[0].pointer(as: StringView.self)[index]
                    let bytes = view.withBytes { [UInt8]($0) }
                    let state = groups[index] + offset
                    guard let own = block(state) else {
                        put(bytes, in: state) { store.newText(partition, $0) }
                        continue
                    }
                    let both = try SketchFolding.merge(kind, own.digest, bytes)
                    put(both, in: state) { store.newText(partition, $0) }
                case .values(let type, let weight, let parameter):
                    if let weight, !isPresent(arguments[weight].valid, index) { continue }
                    if let parameter, !isPresent(arguments[parameter].valid, index) { continue }
                    try add(
                        try word(type, arguments[0], index),
                        weight: try self.weight(arguments, weight, index),
                        parameter: try self.parameter(arguments, parameter, index),
                        to: groups[index] + offset
                    ) { store.newText(partition, $0) }
                }
            }
        } catch { context.fail(error) }
    }

    /// What the digest keeps of a value.
    private func word(
        _ type: LogicalType, _ vector: Vector, _ index: Int
    ) throws(QueryFault) -> UInt64 {
        let isHashed: Bool
        switch digestType {
        case .tdigest, .qdigest: isHashed = false
        default: isHashed = true
        }
        switch vector.physical {
        case .double:
            let value = vector.pointer(as: Double.self)[index]
            if isHashed { return SketchFolding.hash(canonicalBits(value)) }
            if digestType == .tdigest {
                guard value.isFinite else {
                    throw QueryFault(.invalidFunctionArgument, "value must be finite: \(value)")
                }
                return value.bitPattern
            }
            return UInt64(
                bitPattern: SketchFolding.sortable(value, isReal: type == .real))
        case .string:
            let view = vector.pointer(as: StringView.self)[index]
            return view.withBytes { SketchFolding.hash($0) }
        case .int32:
            let value = Int64(vector.pointer(as: Int32.self)[index])
            return isHashed
                ? SketchFolding.hash(UInt64(bitPattern: value)) : UInt64(bitPattern: value)
        default:
            let value = vector.pointer(as: UInt64.self)[index]
            return isHashed ? SketchFolding.hash(value) : value
        }
    }

    private func weight(
        _ arguments: UnsafePointer<Vector>, _ column: Int?, _ index: Int
    ) throws(QueryFault) -> Double {
        guard let column else { return 1 }
        let vector = arguments[column]
        let weight =
            vector.physical == .double
            ? vector.pointer(as: Double.self)[index]
            : Double(vector.pointer(as: Int64.self)[index])
        guard weight > 0, weight.isFinite else {
            throw QueryFault(
                .invalidFunctionArgument, "weight must be positive and finite: \(weight)")
        }
        return weight
    }

    private func parameter(
        _ arguments: UnsafePointer<Vector>, _ column: Int?, _ index: Int
    ) throws(QueryFault) -> Double {
        guard let column else { return 0 }
        let value = arguments[column].pointer(as: Double.self)[index]
        guard value > 0, value < 1 else {
            throw QueryFault(
                .invalidFunctionArgument,
                "the error wanted must be between 0 and 1, exclusively: \(value)")
        }
        return value
    }

    private func add(
        _ word: UInt64, weight: Double, parameter: Double, to state: UnsafeMutableRawPointer,
        _ allocate: (Int) -> UnsafeMutableRawPointer
    ) throws(QueryFault) {
        var own = block(state) ?? makeBlock(state, Self.firstRoom, 0, allocate)
        if own.waiting == own.room {
            if own.room < Self.largestRoom {
                own = grow(own, to: own.room * 4, own.digestRoom, state, allocate)
            } else {
                put(try own.folded(kind), in: state, allocate)
                guard let folded = block(state) else { return }
                own =
                    folded.room > 0
                    ? folded
                    : grow(
                        folded, to: Self.largestRoom, folded.digestRoom, state, allocate)
            }
        }
        own.parameter = parameter
        own.append(word, weight)
    }

    // MARK: Blocks

    /// A block of a state; a view of memory that somebody else owns.
    private struct Block {
        let start: UnsafeMutableRawPointer

        private func head(_ index: Int) -> UnsafeMutablePointer<UInt32> {
            (start + index * 4).assumingMemoryBound(to: UInt32.self)
        }

        var waiting: Int {
            get { Int(head(0).pointee) }
            nonmutating set { head(0).pointee = UInt32(newValue) }
        }
        var digestBytes: Int {
            get { Int(head(1).pointee) }
            nonmutating set { head(1).pointee = UInt32(newValue) }
        }
        var room: Int { Int(head(2).pointee) }
        var digestRoom: Int { Int(head(3).pointee) }
        var parameter: Double {
            get { start.load(fromByteOffset: 16, as: Double.self) }
            nonmutating set { start.storeBytes(of: newValue, toByteOffset: 16, as: Double.self) }
        }

        func initialize(room: Int, digestRoom: Int) {
            waiting = 0
            digestBytes = 0
            head(2).pointee = UInt32(room)
            head(3).pointee = UInt32(digestRoom)
            parameter = 0
        }

        private var entries: UnsafeMutableRawPointer { start + SketchAccumulator.headBytes }
        private var digestStart: UnsafeMutableRawPointer { entries + room * 16 }

        func append(_ word: UInt64, _ weight: Double) {
            let entry = entries + waiting * 16
            entry.storeBytes(of: word, as: UInt64.self)
            entry.storeBytes(of: weight, toByteOffset: 8, as: Double.self)
            waiting += 1
        }

        func copyEntries(from other: Block) {
            (entries + waiting * 16).copyMemory(
                from: other.entries, byteCount: other.waiting * 16)
            waiting += other.waiting
        }

        var digest: [UInt8] {
            [UInt8](UnsafeRawBufferPointer(start: digestStart, count: digestBytes))
        }

        func setDigest(_ bytes: [UInt8]) {
            bytes.withUnsafeBytes { raw in
                if let base = raw.baseAddress {
                    digestStart.copyMemory(from: base, byteCount: raw.count)
                }
            }
            digestBytes = bytes.count
        }

        /// The digest with the values that wait.
        func folded(_ kind: SketchFolding.Kind) throws(QueryFault) -> [UInt8] {
            if waiting == 0, digestBytes > 0 { return digest }
            var words: [UInt64] = []
            var weights: [Double] = []
            words.reserveCapacity(waiting)
            weights.reserveCapacity(waiting)
            for index in 0..<waiting {
                words.append((entries + index * 16).load(as: UInt64.self))
                weights.append((entries + index * 16 + 8).load(as: Double.self))
            }
            var result: Result<[UInt8], QueryFault> = .success([])
            words.withUnsafeBufferPointer { values in
                weights.withUnsafeBufferPointer { weights in
                    guard let base = weights.baseAddress else { return }
                    do throws(QueryFault) {
                        result = .success(
                            try SketchFolding.fold(
                                kind, parameter: parameter, into: digest, values: values,
                                weights: base))
                    } catch { result = .failure(error) }
                }
            }
            return try result.get()
        }
    }

    private func block(_ state: UnsafeMutableRawPointer) -> Block? {
        let view = state.load(as: StringView.self)
        return view.count == 0
            ? nil : Block(start: UnsafeMutableRawPointer(mutating: view.pointer))
    }

    private func makeBlock(
        _ state: UnsafeMutableRawPointer, _ room: Int, _ digestRoom: Int,
        _ allocate: (Int) -> UnsafeMutableRawPointer
    ) -> Block {
        let size = Self.headBytes + room * 16 + digestRoom
        let block = Block(start: allocate(size))
        block.initialize(room: room, digestRoom: digestRoom)
        let view = StringView(low: UInt64(size), high: UInt64(UInt(bitPattern: block.start)))
        state.storeBytes(of: view, as: StringView.self)
        return block
    }

    private func grow(
        _ old: Block, to room: Int, _ digestRoom: Int, _ state: UnsafeMutableRawPointer,
        _ allocate: (Int) -> UnsafeMutableRawPointer
    ) -> Block {
        let block = makeBlock(state, room, digestRoom, allocate)
        block.parameter = old.parameter
        block.copyEntries(from: old)
        block.setDigest(old.digest)
        return block
    }

    /// Makes the digest all that the state holds.
    private func put(
        _ digest: [UInt8], in state: UnsafeMutableRawPointer,
        _ allocate: (Int) -> UnsafeMutableRawPointer
    ) {
        if let own = block(state), own.digestRoom >= digest.count {
            own.waiting = 0
            own.setDigest(digest)
            return
        }
        let parameter = block(state)?.parameter ?? 0
        let room = block(state)?.room ?? 0
        // Digests grow as more is seen, but not for ever.
        let new = makeBlock(state, room, digest.count + digest.count / 2 + 32, allocate)
        new.parameter = parameter
        new.setDigest(digest)
    }

    // MARK: Groups

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        guard fault == nil, let other = block(source + offset) else { return }
        guard let own = block(target + offset) else {
            (target + offset).copyMemory(from: source + offset, byteCount: size)
            return
        }
        if other.digestBytes == 0, own.waiting + other.waiting <= own.room,
            own.parameter == other.parameter
        {
            own.copyEntries(from: other)
            return
        }
        do throws(QueryFault) {
            let both = try SketchFolding.merge(kind, own.folded(kind), other.folded(kind))
            if own.digestRoom < both.count, other.digestRoom >= both.count {
                (target + offset).copyMemory(from: source + offset, byteCount: size)
            }
            put(both, in: target + offset) { size in
                let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
                merged.append(memory)
                return memory
            }
        } catch { fault = error }
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext, _ heap: Arena
    ) {
        if let fault { context.fail(fault) }
        for index in 0..<count {
            guard let block = block(groups[index] + offset) else {
                buffer.setNull(index)
                continue
            }
            do throws(QueryFault) {
                buffer.store(Collections.keep(try block.folded(kind), heap, context), index)
            } catch {
                context.fail(error)
                buffer.setNull(index)
            }
        }
    }
}
