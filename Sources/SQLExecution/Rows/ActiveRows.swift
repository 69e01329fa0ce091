import Vectors

/// The rows of a chunk that an operation works on: `count` laid out, `active` of them wanted.
struct ActiveRows: BitwiseCopyable {
    var count: Int
    var selection: UnsafePointer<UInt32>?
    var active: Int

    init(count: Int, selection: UnsafePointer<UInt32>? = nil, active: Int? = nil) {
        self.count = count
        self.selection = selection
        self.active = active ?? count
    }

    init(_ chunk: Chunk) {
        count = chunk.count
        selection = chunk.selection.map { UnsafePointer($0) }
        active = chunk.activeCount
    }

    /// Calls `body` with each active row.
    @inline(__always) func forEach(_ body: (Int) -> Void) {
        if let selection {
            for index in 0..<active { body(Int(selection[index])) }
        } else {
            for row in 0..<count { body(row) }
        }
    }

    /// The `index`th active row.
    @inline(__always) func row(_ index: Int) -> Int {
        if let selection { Int(selection[index]) } else { index }
    }

    /// Whether computing inactive rows as well costs less than skipping them.
    @inline(__always) var prefersAll: Bool { selection == nil || active &* 2 >= count }
}

/// 1 or 0 without a branch.
@inline(__always) func bit(_ condition: Bool) -> Int {
    Int(unsafeBitCast(condition, to: UInt8.self))
}

/// The same as a byte, which is how boolean vectors hold it.
@inline(__always) func byte(_ condition: Bool) -> UInt8 { unsafeBitCast(condition, to: UInt8.self) }
