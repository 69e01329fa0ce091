import Bytes
import Vectors

/// Numbers the distinct values of a column chunk.
protocol ValueDictionary: AnyObject {
    /// Distinct values so far.
    var count: Int { get }
    /// Bytes that they take in PLAIN, about.
    var sizeBytes: Int { get }
    /// Appends the values that codes stand for, in PLAIN.
    func expand(_ codes: UnsafePointer<UInt32>, _ count: Int, to plain: GrowingBuffer<UInt8>)
    /// xxHash64 of an entry's bytes, as bloom filters want them.
    func hash(_ code: Int) -> UInt64
}

/// Values of 4, 8 or up to 16 bytes, given as words.
final class WordDictionary<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>:
    ValueDictionary
{
    let width: StoredWidth
    private let entries = GrowingBuffer<Word>(capacity: 512)
    /// Entry + 1 of each slot, 0: free. A power of two, at most half full.
    private var slots: UnsafeMutablePointer<UInt32>
    private var slotCount = 1024

    init(_ width: StoredWidth) {
        self.width = width
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: 0, count: slotCount)
    }

    deinit { slots.deallocate() }

    var count: Int { entries.count }
    var sizeBytes: Int { entries.count * width.byteCount }

    /// The codes of words.
    @_specialize(where Word == UInt32)
    @_specialize(where Word == UInt64)
    @_specialize(where Word == UInt128)
    func encode(
        _ words: UnsafePointer<Word>, _ count: Int, into codes: UnsafeMutablePointer<UInt32>
    ) {
        // Fields are copied: a class's fields are read again at every use.
        var slots = self.slots
        var mask = slotCount &- 1
        var known = entries.start
        for index in 0..<count {
            let word = words[index]
            var slot = WordDictionary.slot(word) & mask
            var entry = slots[slot]
            while entry != 0 && known[Int(entry &- 1)] != word {
                slot = (slot &+ 1) & mask
                entry = slots[slot]
            }
            if entry == 0 {
                entries.append(word)
                entry = UInt32(truncatingIfNeeded: entries.count)
                slots[slot] = entry
                if entries.count * 2 > slotCount { grow() }
                slots = self.slots
                mask = slotCount &- 1
                known = entries.start
            }
            codes[index] = entry &- 1
        }
    }

    @_specialize(where Word == UInt32)
    @_specialize(where Word == UInt64)
    @_specialize(where Word == UInt128)
    func expand(_ codes: UnsafePointer<UInt32>, _ count: Int, to plain: GrowingBuffer<UInt8>) {
        for index in 0..<count {
            width.store(
                UInt128(truncatingIfNeeded: entries.start[Int(codes[index])]), to: plain)
        }
    }

    func hash(_ code: Int) -> UInt64 {
        width.hash(UInt128(truncatingIfNeeded: entries.start[code]))
    }

    private func grow() {
        slots.deallocate()
        slotCount *= 4
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: 0, count: slotCount)
        let mask = slotCount - 1
        for index in 0..<entries.count {
            var slot = WordDictionary.slot(entries.start[index]) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(truncatingIfNeeded: index + 1)
        }
    }

    @inline(__always)
    private static func slot(_ word: Word) -> Int {
        var low = UInt64(truncatingIfNeeded: word)
        if Word.bitWidth > 64 {
            low ^= UInt64(truncatingIfNeeded: word >> 64) &* 0xD6E8_FEB8_6659_FD93
        }
        let wide = low.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return Int(truncatingIfNeeded: wide.high ^ wide.low)
    }
}

/// How words lie in a page.
enum StoredWidth: Hashable {
    case four, eight
    /// Big-endian, the lowest so many bytes of a 128-bit word.
    case big(Int)

    var byteCount: Int {
        switch self {
        case .four: 4
        case .eight: 8
        case .big(let count): count
        }
    }

    /// Appends one word.
    func store(_ word: UInt128, to plain: GrowingBuffer<UInt8>) {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { bytes in
            let start = place(word, bytes.baseAddress.unsafelyUnwrapped)
            plain.append(start, count: byteCount)
        }
    }

    /// xxHash64 of the word's bytes.
    func hash(_ word: UInt128) -> UInt64 {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { bytes in
            let start = place(word, bytes.baseAddress.unsafelyUnwrapped)
            return xxHash64(UnsafeRawBufferPointer(start: start, count: byteCount))
        }
    }

    /// Writes the word's 16 bytes at most, and says where its own begin.
    private func place(
        _ word: UInt128, _ bytes: UnsafeMutableRawPointer
    ) -> UnsafePointer<UInt8> {
        var at = bytes
        switch self {
        case .four:
            bytes.storeBytes(of: UInt32(truncatingIfNeeded: word).littleEndian, as: UInt32.self)
        case .eight:
            bytes.storeBytes(of: UInt64(truncatingIfNeeded: word).littleEndian, as: UInt64.self)
        case .big(let count):
            bytes.storeBytes(of: word.bigEndian, as: UInt128.self)
            at += 16 - count
        }
        return UnsafePointer(at.assumingMemoryBound(to: UInt8.self))
    }
}

/// Text and binary. Long ones are copied to a heap that never moves.
final class BytesDictionary: ValueDictionary {
    private let entries = GrowingBuffer<StringView>(capacity: 512)
    private let hashes = GrowingBuffer<UInt64>(capacity: 512)
    private var slots: UnsafeMutablePointer<UInt32>
    private var slotCount = 1024
    private var blocks: [UnsafeMutablePointer<UInt8>] = []
    private var cursor: UnsafeMutablePointer<UInt8>?
    private var room = 0
    private(set) var sizeBytes = 0
    /// Entries that occurred since `forgetSeen`: a byte each.
    private let seen = GrowingBuffer<UInt8>(capacity: 512)
    /// Of the dictionary vector seen last: the code of each of its entries, or `unknown`.
    private let remembered = GrowingBuffer<UInt32>()
    private var rememberedID: UInt32 = 0
    private static let unknown = UInt32.max
    private static let blockSize = 64 << 10

    init() {
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: 0, count: slotCount)
    }

    deinit {
        slots.deallocate()
        for block in blocks { block.deallocate() }
    }

    var count: Int { entries.count }

    /// The codes of the values at `indexes` of a vector's values.
    func encode(
        _ views: UnsafePointer<StringView>, _ indexes: UnsafePointer<UInt32>, _ count: Int,
        into codes: UnsafeMutablePointer<UInt32>
    ) {
        // Fields are copied: a class's fields are read again at every use.
        var slots = UnsafePointer(self.slots)
        var mask = slotCount &- 1
        var known = UnsafePointer(entries.start)
        var knownHashes = UnsafePointer(hashes.start)
        for index in 0..<count {
            let view = views[Int(indexes[index])]
            let hash = BytesDictionary.hash(view)
            var slot = Int(truncatingIfNeeded: hash) & mask
            var entry = slots[slot]
            while entry != 0 {
                let at = Int(entry &- 1)
                if knownHashes[at] == hash && known[at] == view { break }
                slot = (slot &+ 1) & mask
                entry = slots[slot]
            }
            if entry == 0 {
                entry = insert(view, hash, slot)
                slots = UnsafePointer(self.slots)
                mask = slotCount &- 1
                known = UnsafePointer(entries.start)
                knownHashes = UnsafePointer(hashes.start)
            }
            codes[index] = entry &- 1
        }
        mark(codes, count)
    }

    /// The same for a vector's dictionary entries, each of which is looked up once.
    func encode(
        dictionary: Vector, _ indexes: UnsafePointer<UInt32>, _ count: Int,
        into codes: UnsafeMutablePointer<UInt32>
    ) {
        if rememberedID != dictionary.dictionaryID {
            rememberedID = dictionary.dictionaryID
            remembered.removeAll()
            remembered.append(BytesDictionary.unknown, count: Int(dictionary.entryCount))
        }
        let views = UnsafePointer(dictionary.pointer(as: StringView.self))
        let known = remembered.start
        let limit = remembered.count
        for index in 0..<count {
            let entry = Int(indexes[index])
            guard entry < limit else {
                codes[index] = code(views[entry])
                continue
            }
            if known[entry] == BytesDictionary.unknown { known[entry] = code(views[entry]) }
            codes[index] = known[entry]
        }
        mark(codes, count)
    }

    /// The entries that occurred since the last `forgetSeen`, the least and the greatest.
    func seenBounds() -> (lower: StringView, upper: StringView)? {
        var bounds: (lower: StringView, upper: StringView)?
        for code in 0..<seen.count where seen.start[code] != 0 {
            let view = entries.start[code]
            guard let (lower, upper) = bounds else {
                bounds = (view, view)
                continue
            }
            if StringView.compare(view, lower) < 0 { bounds?.lower = view }
            if StringView.compare(view, upper) > 0 { bounds?.upper = view }
        }
        return bounds
    }

    func forgetSeen() { seen.start.update(repeating: 0, count: seen.count) }

    func expand(_ codes: UnsafePointer<UInt32>, _ count: Int, to plain: GrowingBuffer<UInt8>) {
        plain.appendPlain(entries.start, codes, count)
    }

    func hash(_ code: Int) -> UInt64 {
        xxHash64(UnsafeRawBufferPointer(StringView.bytes(at: entries.start + code)))
    }

    private func mark(_ codes: UnsafePointer<UInt32>, _ count: Int) {
        if seen.count < entries.count { seen.append(0, count: entries.count - seen.count) }
        let marks = seen.start
        for index in 0..<count { marks[Int(codes[index])] = 1 }
    }

    private func code(_ view: StringView) -> UInt32 {
        let hash = BytesDictionary.hash(view)
        let mask = slotCount &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = slots[slot]
            if entry == 0 { return insert(view, hash, slot) &- 1 }
            let index = Int(entry &- 1)
            if hashes.start[index] == hash && entries.start[index] == view { return entry &- 1 }
            slot = (slot &+ 1) & mask
        }
    }

    /// Takes a new value into a free slot; its code + 1.
    private func insert(_ view: StringView, _ hash: UInt64, _ slot: Int) -> UInt32 {
        entries.append(keep(view))
        hashes.append(hash)
        sizeBytes += view.count + 4
        let entry = UInt32(truncatingIfNeeded: entries.count)
        slots[slot] = entry
        if entries.count * 2 > slotCount { grow() }
        return entry
    }

    private func grow() {
        slots.deallocate()
        slotCount *= 4
        let mask = slotCount - 1
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: 0, count: slotCount)
        for index in 0..<entries.count {
            var slot = Int(truncatingIfNeeded: hashes.start[index]) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(truncatingIfNeeded: index + 1)
        }
    }

    /// Copies the bytes of a long view.
    private func keep(_ view: StringView) -> StringView {
        if view.isInline { return view }
        if view.count > room || cursor == nil {
            let size = max(BytesDictionary.blockSize, view.count)
            let block = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
            blocks.append(block)
            (cursor, room) = (block, size)
        }
        guard let start = cursor else { return view }
        start.update(from: view.pointer, count: view.count)
        cursor = start + view.count
        room -= view.count
        return StringView(start, count: view.count)
    }

    private static func hash(_ view: StringView) -> UInt64 {
        if view.isInline {
            let first = (view.low ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(
                by: 0xA076_1D64_78BD_642F)
            let second = (view.high ^ first.high ^ first.low).multipliedFullWidth(
                by: 0xE703_7ED1_A0B4_28DB)
            return second.high ^ second.low
        }
        return xxHash64(UnsafeRawBufferPointer(start: view.pointer, count: view.count))
    }
}

extension GrowingBuffer<UInt8> {
    /// Appends strings in PLAIN: four bytes of length, then the bytes.
    func appendPlain(
        _ views: UnsafePointer<StringView>, _ indexes: UnsafePointer<UInt32>, _ count: Int
    ) {
        var total = 0
        for index in 0..<count { total &+= views[Int(indexes[index])].count &+ 4 }
        // An inline view is its own PLAIN form: 16 bytes are copied, and as many counted as are meant.
        let start = UnsafeMutableRawPointer(reserve(total + 16))
        var at = start
        for index in 0..<count {
            let view = views[Int(indexes[index])]
            let length = view.count
            if view.isInline {
                at.storeBytes(of: view.low.littleEndian, as: UInt64.self)
                at.storeBytes(of: view.high.littleEndian, toByteOffset: 8, as: UInt64.self)
            } else {
                at.storeBytes(of: UInt32(truncatingIfNeeded: length).littleEndian, as: UInt32.self)
                (at + 4).copyMemory(from: view.pointer, byteCount: length)
            }
            at += length &+ 4
        }
        advance(total)
    }
}
