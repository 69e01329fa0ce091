import Vectors

/// `region` and `nation`: lists with comments.
final class ListRows: RowMaker {
    static let stepRows = 25
    private let names: WordList
    private let hasRegions: Bool
    private var comments: CommentStream
    private var row: Int64 = 0

    init(nations: Bool) {
        names = nations ? WordLists.nations : WordLists.regions
        hasRegions = nations
        comments = CommentStream(nations ? 606_179_079 : 1_500_869_201, average: 72)
    }

    func move(to row: Int64) {
        self.row = row
        comments.move(to: row)
    }

    func make(_ count: Int, into columns: ColumnSet) throws(MemoryLimitFault) -> Int {
        let commentColumn = hasRegions ? 3 : 2
        for index in 0..<count {
            let place = Int(row) + index
            columns.key(0, index, Int64(place))
            columns.text(1, index, names.views[place])
            if hasRegions { columns.key(2, index, WordLists.nationRegions[place]) }
            if columns.wants(commentColumn) { try comments.put(columns, commentColumn, index) }
        }
        row += Int64(count)
        return count
    }
}

/// `supplier`.
final class SupplierRows: RowMaker {
    static let stepRows = Chunk.capacity
    private var addresses = AddressStream(706_178_559)
    private var nations = RowRandom(110_356_601)
    private var phones = PhoneStream(884_434_366)
    private var balances = RowRandom(962_338_209)
    private var comments = CommentStream(1_341_315_363, average: 63)
    private var remarks = RowRandom(202_794_285)
    private var noises = RowRandom(263_032_577)
    private var places = RowRandom(715_851_524)
    private var kinds = RowRandom(753_643_799)
    private var row: Int64 = 0

    func move(to row: Int64) {
        self.row = row
        addresses.move(to: row)
        nations.move(to: row)
        phones.move(to: row)
        balances.move(to: row)
        comments.move(to: row)
        remarks.move(to: row)
        noises.move(to: row)
        places.move(to: row)
        kinds.move(to: row)
    }

    func make(_ count: Int, into columns: ColumnSet) throws(MemoryLimitFault) -> Int {
        for index in 0..<count {
            let key = row + Int64(index) + 1
            columns.key(0, index, key)
            if columns.wants(1) { try columns.name(1, index, "Supplier#", key) }
            if columns.wants(2) { try addresses.put(columns, 2, index) }
            let nation = nations.next(0, 24)
            columns.key(3, index, Int64(nation))
            if columns.wants(4) { try phones.put(columns, 4, index, nation: nation) }
            columns.money(5, index, Int64(balances.next(-99_999, 999_999)))
            if columns.wants(6) { try comment(columns, index) }
        }
        row += Int64(count)
        return count
    }

    /// Ten in ten thousand comments have a complaint or a recommendation worked in.
    private func comment(_ columns: ColumnSet, _ index: Int) throws(MemoryLimitFault) {
        let base: StaticString = "Customer "
        let (offset, count) = comments.next()
        var remark: (place: Int, noise: Int, text: StaticString)?
        let spare = count - base.utf8CodeUnitCount - 10
        if remarks.next(1, 10_000) <= 10 {
            let noise = noises.next(0, spare)
            let place = places.next(0, spare - noise)
            remark = (place, noise, kinds.next(0, 100) < 50 ? "Complaints" : "Recommends")
        } else {
            noises.finishRow(used: 0)
            places.finishRow(used: 0)
            kinds.finishRow(used: 0)
        }
        try columns.text(6, index, count: count, slack: TextPool.pieceBytes) { bytes in
            TextPool.shared.copy(offset, count, to: bytes)
            guard let remark else { return }
            let begin = bytes + remark.place
            begin.update(from: base.utf8Start, count: base.utf8CodeUnitCount)
            (begin + base.utf8CodeUnitCount + remark.noise)
                .update(from: remark.text.utf8Start, count: remark.text.utf8CodeUnitCount)
        }
    }
}

/// `customer`.
final class CustomerRows: RowMaker {
    static let stepRows = Chunk.capacity
    private var addresses = AddressStream(881_155_353)
    private var nations = RowRandom(1_489_529_863)
    private var phones = PhoneStream(1_521_138_112)
    private var balances = RowRandom(298_370_230)
    private var segments = RowRandom(1_140_279_430)
    private var comments = CommentStream(1_335_826_707, average: 73)
    private var row: Int64 = 0

    func move(to row: Int64) {
        self.row = row
        addresses.move(to: row)
        nations.move(to: row)
        phones.move(to: row)
        balances.move(to: row)
        segments.move(to: row)
        comments.move(to: row)
    }

    func make(_ count: Int, into columns: ColumnSet) throws(MemoryLimitFault) -> Int {
        for index in 0..<count {
            let key = row + Int64(index) + 1
            columns.key(0, index, key)
            if columns.wants(1) { try columns.name(1, index, "Customer#", key) }
            if columns.wants(2) { try addresses.put(columns, 2, index) }
            let nation = nations.next(0, 24)
            columns.key(3, index, Int64(nation))
            if columns.wants(4) { try phones.put(columns, 4, index, nation: nation) }
            columns.money(5, index, Int64(balances.next(-99_999, 999_999)))
            columns.text(6, index, WordLists.segments.views[segments.next(0, 4)])
            if columns.wants(7) { try comments.put(columns, 7, index) }
        }
        row += Int64(count)
        return count
    }
}

/// `part`.
final class PartRows: RowMaker {
    static let stepRows = Chunk.capacity
    private var names = RowRandom(709_314_158, perRow: 92)
    private var makers = RowRandom(1)
    private var brands = RowRandom(46_831_694)
    private var types = RowRandom(1_841_581_359)
    private var sizes = RowRandom(1_193_163_244)
    private var containers = RowRandom(727_633_698)
    private var comments = CommentStream(804_159_733, average: 14)
    private var row: Int64 = 0
    /// The colors in their order; five places are swapped for a name, and back.
    private var colors = Array(0..<92)

    private static let manufacturers = WordList(
        (1...5).map { "Manufacturer#\($0)" })
    private static let brandNames = WordList(
        (1...5).flatMap { maker in (1...5).map { "Brand#\(maker)\($0)" } })

    /// In cents.
    static func price(_ key: Int64) -> Int64 { 90_000 + key / 10 % 20_001 + key % 1000 * 100 }

    func move(to row: Int64) {
        self.row = row
        names.move(to: row)
        makers.move(to: row)
        brands.move(to: row)
        types.move(to: row)
        sizes.move(to: row)
        containers.move(to: row)
        comments.move(to: row)
    }

    func make(_ count: Int, into columns: ColumnSet) throws(MemoryLimitFault) -> Int {
        for index in 0..<count {
            let key = row + Int64(index) + 1
            columns.key(0, index, key)
            if columns.wants(1) { try name(columns, index) }
            let maker = makers.next(1, 5)
            columns.text(2, index, Self.manufacturers.views[maker - 1])
            let brand = brands.next(1, 5)
            columns.text(3, index, Self.brandNames.views[maker * 5 + brand - 6])
            columns.text(4, index, WordLists.types.views[types.next(0, 149)])
            columns.number(5, index, sizes.next(1, 50))
            columns.text(6, index, WordLists.containers.views[containers.next(0, 39)])
            columns.money(7, index, Self.price(key))
            if columns.wants(8) { try comments.put(columns, 8, index) }
        }
        row += Int64(count)
        return count
    }

    /// Five colors out of all.
    private func name(_ columns: ColumnSet, _ index: Int) throws(MemoryLimitFault) {
        var swaps: [Int] = []
        var length = 4
        for place in 0..<5 {
            let other = names.next(place, 91)
            colors.swapAt(place, other)
            swaps.append(other)
            length += WordLists.colors.words[colors[place]].utf8.count
        }
        names.finishRow(used: 5)
        try columns.text(1, index, count: length) { bytes in
            var end = 0
            for place in 0..<5 {
                if place > 0 {
                    bytes[end] = UInt8(ascii: " ")
                    end += 1
                }
                for letter in WordLists.colors.words[colors[place]].utf8 {
                    bytes[end] = letter
                    end += 1
                }
            }
        }
        for place in (0..<5).reversed() { colors.swapAt(place, swaps[place]) }
    }
}

/// `partsupp`: four suppliers a part.
final class PartSupplierRows: RowMaker {
    static let stepRows = Chunk.capacity / 4
    private let suppliers: Int64
    private var quantities = RowRandom(1_671_059_989, perRow: 4)
    private var costs = RowRandom(1_051_288_424, perRow: 4)
    private var comments = CommentStream(1_961_692_154, average: 124, perRow: 4)
    private var row: Int64 = 0

    init(scale: Double) { suppliers = TPCHSchema.count(10_000, scale) }

    /// The part's `number`th supplier, counted from 0.
    static func supplier(_ part: Int64, _ number: Int64, of suppliers: Int64) -> Int64 {
        (part + number * (suppliers / 4 + (part - 1) / suppliers)) % suppliers + 1
    }

    func move(to row: Int64) {
        self.row = row
        quantities.move(to: row)
        costs.move(to: row)
        comments.move(to: row)
    }

    func make(_ count: Int, into columns: ColumnSet) throws(MemoryLimitFault) -> Int {
        for part in 0..<count {
            let key = row + Int64(part) + 1
            for number in 0..<4 {
                let index = part * 4 + number
                columns.key(0, index, key)
                columns.key(1, index, Self.supplier(key, Int64(number), of: suppliers))
                columns.number(2, index, quantities.next(1, 9999))
                columns.money(3, index, Int64(costs.next(100, 100_000)))
                if columns.wants(4) { try comments.put(columns, 4, index) }
            }
        }
        row += Int64(count)
        return count * 4
    }
}
