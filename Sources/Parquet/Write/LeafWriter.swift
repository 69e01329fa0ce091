import Bytes
import Compression
import Vectors

/// Encodes one leaf: values in, finished pages kept until the row group ends.
///
/// A column chunk begins with a dictionary; when the first values hardly repeat, it is given up for
/// PLAIN, and when the dictionary grows too large, the pages that follow are PLAIN.
final class LeafWriter {
    /// A finished page: where it lies behind the dictionary page, and what it holds.
    struct Page {
        var offset: Int
        var size: Int
        var firstRow: Int
        var rowCount: Int
        var bounds: BoundsTracker
    }

    let leaf: ParquetLeaf
    let form: StoredForm
    let fieldID: Int?
    let type: LogicalType
    let options: WriterOptions
    private let compressors: Compressors
    /// What the column's bloom filters should be like; nil: none.
    private let bloom: BloomOptions?

    // The page being filled. Values are codes, or flags, or PLAIN bytes.
    let definitions = GrowingBuffer<UInt8>()
    let repetitions = GrowingBuffer<UInt8>()
    let codes = GrowingBuffer<UInt32>()
    let plain = GrowingBuffer<UInt8>()
    let flags = GrowingBuffer<UInt8>()
    /// Rows whose values the tree of columns has placed and `appendPlaced` will take.
    let placed = GrowingBuffer<UInt32>()
    private var pageRows = 0
    /// Levels, that is values and places without one.
    var pageValues = 0
    var bounds = BoundsTracker()

    // Scratch of one batch: where values lie, and their stored form.
    let indexes = GrowingBuffer<UInt32>(capacity: LeafWriter.batchRows)
    let words4 = GrowingBuffer<UInt32>(capacity: LeafWriter.batchRows)
    let words8 = GrowingBuffer<UInt64>(capacity: LeafWriter.batchRows)
    let words16 = GrowingBuffer<UInt128>(capacity: LeafWriter.batchRows)

    // The column chunk.
    private(set) var dictionary: (any ValueDictionary)?
    /// The dictionary of pages already written, when later ones are PLAIN.
    private var spent: (any ValueDictionary)?
    /// Hashes of values that are in no dictionary, for the bloom filter.
    private let hashes = GrowingBuffer<UInt64>()
    private var pages: [Page] = []
    private var finished = ByteBuffer()
    private var uncompressedSize = 0
    private var chunkRows = 0
    private var chunkValues = 0
    private var hasPlainPages = false
    /// Column chunks that will not try a dictionary, since it failed at once in the last one.
    private var chunksWithoutDictionary = 0

    /// Over all row groups.
    private(set) var totals = BoundsTracker()
    private(set) var totalValues = 0
    private(set) var totalSize = 0

    /// Rows taken at a time.
    static let batchRows = 2048

    init(
        _ leaf: ParquetLeaf, _ form: StoredForm, type: LogicalType, fieldID: Int?,
        options: WriterOptions, compressors: Compressors
    ) {
        self.leaf = leaf
        self.form = form
        self.type = type
        self.fieldID = fieldID
        self.options = options
        self.compressors = compressors
        bloom = form == .boolean ? nil : options.bloomFilters[leaf.path.joined(separator: ".")]
        beginChunk()
    }

    private func beginChunk() {
        dictionary = nil
        if chunksWithoutDictionary > 0 {
            chunksWithoutDictionary -= 1
        } else if options.usesDictionaries {
            dictionary = makeDictionary()
        }
        pages = []
        finished = ByteBuffer()
        uncompressedSize = 0
        chunkRows = 0
        chunkValues = 0
        hasPlainPages = false
        hashes.removeAll()
    }

    private func makeDictionary() -> (any ValueDictionary)? {
        switch form.width {
        case .four?: WordDictionary<UInt32>(.four)
        case .eight?: WordDictionary<UInt64>(.eight)
        case .big(let count)?: WordDictionary<UInt128>(.big(count))
        case nil: form == .bytes ? BytesDictionary() : nil
        }
    }

    /// Bytes held in memory, about.
    var bufferedBytes: Int {
        var bytes = finished.count + plain.count + codes.count * 4 + hashes.count * 8
        bytes += definitions.count + repetitions.count
        if let used = dictionary ?? spent { bytes += used.sizeBytes * 2 + used.count * 16 }
        return bytes
    }

    // MARK: - Pages

    /// How many more rows the page takes.
    var pageRoom: Int { max(1, options.pageRows - pageRows) }

    /// Hashes of values that just went to the page in PLAIN are wanted.
    var wantsHashes: Bool { bloom != nil }

    /// Takes a value's hash for the bloom filter.
    func addHash(_ hash: UInt64) { hashes.append(hash) }

    /// Says that rows are complete; ends the page when it is full.
    func endRows(_ count: Int) throws(ParquetError) {
        pageRows += count
        if let dictionary {
            if pages.isEmpty, codes.count >= 4096, dictionary.count * 8 > codes.count * 7 {
                giveUpDictionary(dictionary)
            } else if dictionary.sizeBytes > options.dictionaryBytes {
                return try endPage()
            }
        }
        if pageRows >= options.pageRows || plain.count >= options.pageBytes
            || pageValues >= options.pageRows * 8
        {
            try endPage()
        }
    }

    private func endPage() throws(ParquetError) {
        guard pageRows > 0 else { return }
        if pages.isEmpty, let dictionary, codes.count >= 64, dictionary.count > codes.count / 2 {
            giveUpDictionary(dictionary)
        }
        if let bytes = dictionary as? BytesDictionary {
            if let (lower, upper) = bytes.seenBounds() { bounds.widen(lower, upper) }
            bytes.forgetSeen()
        }
        let page = GrowingBuffer<UInt8>(capacity: plain.count + codes.count * 2 + 64)
        if leaf.maxRepetition > 0 { appendLevels(repetitions, leaf.maxRepetition, to: page) }
        if leaf.maxDefinition > 0 { appendLevels(definitions, leaf.maxDefinition, to: page) }
        var encoding = Encoding.plain
        var deltas = ByteBuffer()
        // Without a value there is no dictionary page, and other readers want one before its codes.
        if let dictionary, dictionary.count > 0 {
            encoding = .rleDictionary
            let width =
                dictionary.count <= 1
                ? 1 : Int.bitWidth - (dictionary.count - 1).leadingZeroBitCount
            page.append(UInt8(width))
            HybridWriter.write(codes.start, codes.count, width: width, to: page)
        } else if form == .boolean {
            for start in stride(from: 0, to: flags.count, by: 8) {
                var byte: UInt8 = 0
                for bit in 0..<min(8, flags.count - start) {
                    byte |= flags.start[start + bit] << UInt8(bit)
                }
                page.append(byte)
            }
        } else if options.usesDeltas && form.isInteger {
            encoding = .deltaBinaryPacked
            DeltaWriter.write(plain, bits: form.physical == .int32 ? 32 : 64, to: &deltas)
        } else {
            page.append(plain.start, count: plain.count)
        }
        if encoding != .rleDictionary { hasPlainPages = true }
        var body = ByteBuffer(capacity: page.count + deltas.count)
        body.append(UnsafeRawBufferPointer(start: page.start, count: page.count))
        body.append(deltas.bytes)
        let start = finished.count
        let valueCount = pageValues
        uncompressedSize += try LeafWriter.appendPage(
            body.bytes, options, compressors, to: &finished
        ) { writer in
            writer.structure(5) {
                $0.int32(1, valueCount)
                $0.int32(2, encoding.rawValue)
                $0.int32(3, Encoding.rle.rawValue)
                $0.int32(4, Encoding.rle.rawValue)
            }
        }
        pages.append(
            Page(
                offset: start, size: finished.count - start, firstRow: chunkRows,
                rowCount: pageRows, bounds: bounds))
        chunkRows += pageRows
        chunkValues += pageValues
        definitions.removeAll()
        repetitions.removeAll()
        codes.removeAll()
        plain.removeAll()
        flags.removeAll()
        pageRows = 0
        pageValues = 0
        bounds = BoundsTracker()
        if let dictionary, dictionary.sizeBytes > options.dictionaryBytes {
            // Pages from here on are PLAIN; those written keep their dictionary.
            spent = dictionary
            self.dictionary = nil
        }
    }

    /// Levels with their length in front, as pages of version 1 have them. None at all: they are all
    /// the highest.
    private func appendLevels(
        _ levels: GrowingBuffer<UInt8>, _ maximum: Int, to page: GrowingBuffer<UInt8>
    ) {
        let width = Int.bitWidth - maximum.leadingZeroBitCount
        let start = page.count
        page.append(0, count: 4)
        if levels.count == 0 {
            HybridWriter.writeRun(UInt32(maximum), pageValues, width, page)
        } else {
            HybridWriter.write(levels.start, levels.count, width: width, to: page)
        }
        UnsafeMutableRawPointer(page.start + start).storeBytes(
            of: UInt32(truncatingIfNeeded: page.count - start - 4).littleEndian, as: UInt32.self)
    }

    /// Turns the codes of the first page back into values.
    private func giveUpDictionary(_ dictionary: any ValueDictionary) {
        if let bytes = dictionary as? BytesDictionary, let (lower, upper) = bytes.seenBounds() {
            bounds.widen(lower, upper)
        }
        dictionary.expand(codes.start, codes.count, to: plain)
        if wantsHashes { for code in 0..<dictionary.count { addHash(dictionary.hash(code)) } }
        codes.removeAll()
        self.dictionary = nil
        chunksWithoutDictionary = 3
    }

    /// Compresses a page's bytes and appends it behind its header; returns header and plain size.
    private static func appendPage(
        _ body: [UInt8], _ options: WriterOptions, _ compressors: Compressors,
        to output: inout ByteBuffer,
        kind: PageHeader.Kind = .data, _ specifics: (inout ThriftWriter) -> Void
    ) throws(ParquetError) -> Int {
        var packed = body
        if options.codec != .none {
            do throws(CompressionError) {
                packed = try compressors.lend { compressor throws(CompressionError) in
                    try compressor.compress(options.codec, level: options.level, body)
                }
            } catch {
                throw ParquetError(
                    code: .unsupported, message: "a page cannot be compressed: \(error.message)",
                    cause: error)
            }
        }
        var writer = ThriftWriter()
        writer.structureElement { writer in
            writer.int32(1, kind.rawValue)
            writer.int32(2, body.count)
            writer.int32(3, packed.count)
            specifics(&writer)
        }
        output.append(writer.bytes)
        output.append(packed)
        return writer.bytes.count + body.count
    }

    // MARK: - Column chunks

    /// A finished column chunk: its bytes, to be written at the place that it was moved to, and what the
    /// footer says of it.
    struct Chunk {
        var dictionaryPage: [UInt8]
        var pagesBytes: [UInt8]
        var metadata: ColumnChunkMetadata
        var pages: [Page]
        var dataOffset: Int
        /// The bloom filter with its header, if there is to be one.
        var bloomFilter: [UInt8]?

        /// Says where in the file a chunk that was at 0 will be written.
        mutating func move(to offset: Int) {
            dataOffset += offset
            metadata.dataPageOffset += offset
            if let place = metadata.dictionaryPageOffset {
                metadata.dictionaryPageOffset = place + offset
            }
        }
    }

    /// Ends the column chunk; it has still to get its place.
    func finishChunk() throws(ParquetError) -> Chunk {
        try endPage()
        var dictionaryPage = ByteBuffer()
        let used = dictionary ?? spent
        if let used, used.count > 0 {
            let count = used.count
            let entries = GrowingBuffer<UInt32>(capacity: count)
            for code in 0..<count { entries.append(UInt32(truncatingIfNeeded: code)) }
            let page = GrowingBuffer<UInt8>(capacity: used.sizeBytes + 64)
            used.expand(entries.start, count, to: page)
            var body = ByteBuffer(capacity: page.count)
            body.append(UnsafeRawBufferPointer(start: page.start, count: page.count))
            if wantsHashes { for code in 0..<count { addHash(used.hash(code)) } }
            uncompressedSize += try LeafWriter.appendPage(
                body.bytes, options, compressors, to: &dictionaryPage, kind: .dictionary
            ) { writer in
                writer.structure(7) {
                    $0.int32(1, count)
                    $0.int32(2, Encoding.plain.rawValue)
                }
            }
        }
        var chunkBounds = BoundsTracker()
        for page in pages { chunkBounds.merge(page.bounds) }
        var metadata = ColumnChunkMetadata()
        metadata.type = form.physical
        metadata.path = leaf.path
        metadata.codec = options.codec
        metadata.valueCount = chunkValues
        metadata.uncompressedSize = uncompressedSize
        metadata.compressedSize = dictionaryPage.count + finished.count
        metadata.dataPageOffset = dictionaryPage.count
        if dictionaryPage.count > 0 { metadata.dictionaryPageOffset = 0 }
        metadata.encodings = [.plain, .rle]
        if dictionaryPage.count > 0 { metadata.encodings.append(.rleDictionary) }
        if hasPlainPages && options.usesDeltas && form.isInteger {
            metadata.encodings.append(.deltaBinaryPacked)
        }
        metadata.statistics = statistics(chunkBounds)
        totals.merge(chunkBounds)
        totalValues += chunkValues
        totalSize += metadata.compressedSize
        let chunk = Chunk(
            dictionaryPage: dictionaryPage.bytes, pagesBytes: finished.bytes, metadata: metadata,
            pages: pages, dataOffset: dictionaryPage.count,
            bloomFilter: bloom.flatMap { BloomBuilder.filter(hashes, $0) })
        spent = nil
        beginChunk()
        return chunk
    }
}
