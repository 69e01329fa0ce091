import Vectors

/// 1992-01-01, the first day of orders.
private let firstDay = 8035
/// 1995-06-17, today in the benchmark's world.
private let today = 9298
/// Orders are placed on so many days.
private let orderDays = 2406

/// The streams of lines that orders need as well: their totals and states follow from them.
private struct LineStreams {
    var lineCounts = RowRandom(1_434_868_289)
    var days = RowRandom(1_066_728_069)
    var quantities = RowRandom(209_208_115, perRow: 7)
    var discounts = RowRandom(554_590_007, perRow: 7)
    var taxes = RowRandom(721_958_466, perRow: 7)
    var parts = RowRandom(1_808_217_256, perRow: 7)
    var ships = RowRandom(1_769_349_045, perRow: 7)

    mutating func move(to row: Int64) {
        lineCounts.move(to: row)
        days.move(to: row)
        quantities.move(to: row)
        discounts.move(to: row)
        taxes.move(to: row)
        parts.move(to: row)
        ships.move(to: row)
    }
}

/// `orders`.
final class OrdersRows: RowMaker {
    static let stepRows = Chunk.capacity
    private let customerCount: Int
    private let partCount: Int
    private let clerkCount: Int
    private var lines = LineStreams()
    private var customers = RowRandom(851_767_375)
    private var priorities = RowRandom(591_449_447)
    private var clerks = RowRandom(1_171_034_773)
    private var comments = CommentStream(276_090_261, average: 49)
    private var row: Int64 = 0

    init(scale: Double) {
        customerCount = Int(TPCHSchema.count(150_000, scale))
        partCount = Int(TPCHSchema.count(200_000, scale))
        clerkCount = Int(max(scale * 1000, 1000))
    }

    /// Keys are sparse: eight of thirty-two are used.
    static func orderKey(_ number: Int64) -> Int64 {
        ((number >> 3) << 5) + (number & 7)
    }

    func move(to row: Int64) {
        self.row = row
        lines.move(to: row)
        customers.move(to: row)
        priorities.move(to: row)
        clerks.move(to: row)
        comments.move(to: row)
    }

    func make(_ count: Int, into columns: ColumnSet) throws(MemoryLimitFault) -> Int {
        let wantsLines = columns.wants(2) || columns.wants(3)
        for index in 0..<count {
            columns.key(0, index, Self.orderKey(row + Int64(index) + 1))
            if columns.wants(1) { columns.key(1, index, customer()) }
            let day = firstDay + lines.days.next(0, orderDays - 1)
            if wantsLines { total(columns, index, day) }
            columns.number(4, index, day)
            columns.text(5, index, WordLists.priorities.views[priorities.next(0, 4)])
            if columns.wants(6) {
                try columns.name(6, index, "Clerk#", Int64(clerks.next(1, clerkCount)))
            }
            columns.number(7, index, 0)
            if columns.wants(8) { try comments.put(columns, 8, index) }
        }
        row += Int64(count)
        return count
    }

    /// Every third customer never orders: their neighbours do.
    private func customer() -> Int64 {
        var key = customers.next(1, customerCount)
        var delta = 1
        while key % 3 == 0 {
            key = min(key + delta, customerCount)
            delta = -delta
        }
        return Int64(key)
    }

    /// Sums up the lines.
    private func total(_ columns: ColumnSet, _ index: Int, _ day: Int) {
        let count = lines.lineCounts.next(1, 7)
        var total: Int64 = 0
        var shipped = 0
        for _ in 0..<count {
            let quantity = Int64(lines.quantities.next(1, 50))
            let discount = Int64(lines.discounts.next(0, 10))
            let tax = Int64(lines.taxes.next(0, 8))
            let price = PartRows.price(Int64(lines.parts.next(1, partCount))) * quantity
            total += price * (100 - discount) / 100 * (100 + tax) / 100
            if day + lines.ships.next(1, 121) <= today { shipped += 1 }
        }
        lines.quantities.finishRow(used: count)
        lines.discounts.finishRow(used: count)
        lines.taxes.finishRow(used: count)
        lines.parts.finishRow(used: count)
        lines.ships.finishRow(used: count)
        let state = shipped == count ? 0 : shipped > 0 ? 2 : 1
        columns.text(2, index, WordLists.orderStatus.views[state])
        columns.money(3, index, total)
    }
}

/// `lineitem`: one to seven lines an order.
final class LineRows: RowMaker {
    static let stepRows = Chunk.capacity / 7
    private let partCount: Int
    private let suppliers: Int64
    private var lines = LineStreams()
    private var supplierNumbers = RowRandom(2_095_021_727, perRow: 7)
    private var commits = RowRandom(904_914_315, perRow: 7)
    private var receipts = RowRandom(373_135_028, perRow: 7)
    private var flags = RowRandom(717_419_739, perRow: 7)
    private var instructions = RowRandom(1_371_272_478, perRow: 7)
    private var modes = RowRandom(675_466_456, perRow: 7)
    private var comments = CommentStream(1_095_462_486, average: 27, perRow: 7)
    private var row: Int64 = 0

    init(scale: Double) {
        partCount = Int(TPCHSchema.count(200_000, scale))
        suppliers = TPCHSchema.count(10_000, scale)
    }

    func move(to row: Int64) {
        self.row = row
        lines.move(to: row)
        supplierNumbers.move(to: row)
        commits.move(to: row)
        receipts.move(to: row)
        flags.move(to: row)
        instructions.move(to: row)
        modes.move(to: row)
        comments.move(to: row)
    }

    func make(_ count: Int, into columns: ColumnSet) throws(MemoryLimitFault) -> Int {
        let wantsParts = columns.wants(1) || columns.wants(2) || columns.wants(5)
        let wantsShips = [8, 9, 10, 12].contains { columns.wants($0) }
        let wantsReceipts = columns.wants(8) || columns.wants(12)
        var index = 0
        for order in 0..<count {
            let key = OrdersRows.orderKey(row + Int64(order) + 1)
            let lineCount = lines.lineCounts.next(1, 7)
            let day = firstDay + lines.days.next(0, orderDays - 1)
            var flagged = 0
            for line in 0..<lineCount {
                columns.key(0, index, key)
                columns.number(3, index, line + 1)
                let quantity = Int64(lines.quantities.next(1, 50))
                columns.money(4, index, quantity * 100)
                if wantsParts { parts(columns, index, quantity) }
                if columns.wants(6) { columns.money(6, index, Int64(lines.discounts.next(0, 10))) }
                if columns.wants(7) { columns.money(7, index, Int64(lines.taxes.next(0, 8))) }
                if wantsShips {
                    let ship = day + lines.ships.next(1, 121)
                    columns.number(10, index, ship)
                    columns.text(9, index, WordLists.orderStatus.views[ship <= today ? 0 : 1])
                    if wantsReceipts {
                        let receipt = ship + receipts.next(1, 30)
                        columns.number(12, index, receipt)
                        let isPast = receipt <= today
                        columns.text(
                            8, index, WordLists.returned.views[isPast ? flags.next(0, 1) : 2])
                        if isPast { flagged += 1 }
                    }
                }
                if columns.wants(11) { columns.number(11, index, day + commits.next(30, 90)) }
                if columns.wants(13) {
                    columns.text(
                        13, index, WordLists.instructions.views[instructions.next(0, 3)])
                }
                if columns.wants(14) {
                    columns.text(14, index, WordLists.modes.views[modes.next(0, 6)])
                }
                if columns.wants(15) { try comments.put(columns, 15, index) }
                index += 1
            }
            finishOrder(lineCount, flagged, columns, wantsParts, wantsShips, wantsReceipts)
        }
        row += Int64(count)
        return index
    }

    private func parts(_ columns: ColumnSet, _ index: Int, _ quantity: Int64) {
        let part = Int64(lines.parts.next(1, partCount))
        columns.key(1, index, part)
        if columns.wants(2) {
            let number = Int64(supplierNumbers.next(0, 3))
            columns.key(2, index, PartSupplierRows.supplier(part, number, of: suppliers))
        }
        columns.money(5, index, PartRows.price(part) * quantity)
    }

    /// Skips what the order left over of its seven lines, in the streams that were used.
    private func finishOrder(
        _ lineCount: Int, _ flagged: Int, _ columns: ColumnSet, _ wantsParts: Bool,
        _ wantsShips: Bool, _ wantsReceipts: Bool
    ) {
        lines.quantities.finishRow(used: lineCount)
        if wantsParts { lines.parts.finishRow(used: lineCount) }
        if columns.wants(2) { supplierNumbers.finishRow(used: lineCount) }
        if columns.wants(6) { lines.discounts.finishRow(used: lineCount) }
        if columns.wants(7) { lines.taxes.finishRow(used: lineCount) }
        if wantsShips { lines.ships.finishRow(used: lineCount) }
        if wantsReceipts {
            receipts.finishRow(used: lineCount)
            flags.finishRow(used: flagged)
        }
        if columns.wants(11) { commits.finishRow(used: lineCount) }
        if columns.wants(13) { instructions.finishRow(used: lineCount) }
        if columns.wants(14) { modes.finishRow(used: lineCount) }
        if columns.wants(15) { comments.finishRow(used: lineCount) }
    }
}
