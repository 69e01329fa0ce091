import Geometry

/// What GEOS does for one call of a function: the library is opened by the first row that needs it, and
/// an argument that repeats from row to row is parsed once.
final class ShapeWork {
    private var context: GeometryContext?

    func open() throws(QueryFault) -> GeometryContext {
        if let context { return context }
        let made = try translating { () throws(GeometryError) in try GeometryContext() }
        context = made
        return made
    }

    /// Runs what may fail in GEOS; the fault is the query's.
    func translating<Result>(
        _ body: () throws(GeometryError) -> Result
    ) throws(QueryFault) -> Result {
        do throws(GeometryError) { return try body() } catch {
            switch error.code {
            case .notInstalled: throw QueryFault(.notSupported, error.message, hint: error.hint)
            case .invalid: throw invalid(error.message, hint: error.hint)
            }
        }
    }
}

/// A shape argument of a call.
final class ShapeOperand {
    private let work: ShapeWork
    private let input: Input<Text>
    private var start: UnsafePointer<UInt8>?
    private(set) var shape = Shape(.point)
    private(set) var box: (low: Shape.Position, high: Shape.Position)?
    private var known: ParsedGeometry?

    init(_ call: KernelCall, _ index: Int, _ work: ShapeWork) {
        input = call.input(index, as: Text.self)
        self.work = work
    }

    /// Turns to a row. Bytes at the same place are the same shape: nothing moves during a call.
    func load(_ row: Int) throws(QueryFault) {
        let bytes = input[row]
        if bytes.baseAddress == start, start != nil { return }
        start = nil
        known = nil
        shape = try Shape(bytes)
        box = shape.box
        start = bytes.baseAddress
    }

    /// The shape in GEOS.
    func parsed() throws(QueryFault) -> ParsedGeometry {
        if let known { return known }
        let context = try work.open()
        let bytes = shape.bytes()
        let made = try work.translating { () throws(GeometryError) in try context.parse(bytes) }
        known = made
        return made
    }
}
