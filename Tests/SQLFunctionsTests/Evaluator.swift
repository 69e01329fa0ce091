import CivilTime
import Testing
import Vectors

@testable import SQLFunctions

/// A value of any type, as tests write it; what it becomes follows from the parameter's type.
indirect enum Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByNilLiteral
{
    case null, whole(Int128), number(Double), text(String), bytes([UInt8]), flag(Bool)
    case list([Value]), map([(Value, Value)]), row([Value])

    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int) { self = .whole(Int128(value)) }
    init(floatLiteral value: Double) { self = .number(value) }
    init(booleanLiteral value: Bool) { self = .flag(value) }
    init(arrayLiteral elements: Value...) { self = .list(elements) }
    init(nilLiteral: ()) { self = .null }

    /// Appends the value to a column.
    func write(_ builder: ColumnBuilder) {
        switch (self, builder.type) {
        case (.null, _): builder.pushNull()
        case (.flag(let flag), _): builder.push(UInt8(flag ? 1 : 0))
        case (.bytes(let bytes), _): bytes.withUnsafeBufferPointer { builder.push(bytes: $0) }
        case (.text(let text), .date): builder.push(CivilParse.date(text)!)
        case (.text(let text), .timestamp):
            let parsed = CivilParse.timestamp(text)!
            let moment = Moment(
                microseconds: parsed.microseconds, picoseconds: parsed.picoseconds)
            if builder.physical == .int64 {
                builder.push(moment.microseconds)
            } else {
                builder.push(Packed.timestamp(moment))
            }
        case (.text(let text), .timestampWithTimeZone):
            let parsed = CivilParse.timestamp(text)!
            let zone = parsed.zone ?? .utc
            let shift = Int64(zone.fixedOffsetMinutes ?? 0) * 60_000_000
            builder.push(
                Packed.zoned(
                    Moment(microseconds: parsed.microseconds - shift, zone: zone)))
        case (.text(let text), .time):
            builder.push(CivilParse.time(text)!.microsecondOfDay * 1_000_000)
        case (.text(let text), _): builder.push(text)
        case (.whole(let whole), _):
            switch builder.physical {
            case .int32: builder.push(Int32(whole))
            case .int64: builder.push(Int64(whole))
            case .double: builder.push(Double(whole))
            default: builder.push(whole)
            }
        case (.number(let number), _): builder.push(number)
        case (.list(let elements), _):
            let row = builder.reserve()!
            let start = builder.children[0].count
            for element in elements { element.write(builder.children[0]) }
            builder.put(builder.entry(from: start), row)
        case (.map(let pairs), _):
            let row = builder.reserve()!
            let start = builder.children[0].count
            for (key, value) in pairs {
                key.write(builder.children[0])
                value.write(builder.children[1])
            }
            builder.put(builder.entry(from: start), row)
        case (.row(let fields), _):
            _ = builder.reserve()!
            for (index, field) in fields.enumerated() { field.write(builder.children[index]) }
        }
    }
}

/// A lambda of a test: a closure over rendered parameters.
struct TestLambda {
    let parameterCount: Int
    let result: LogicalType
    let body: ([String]) -> Value
}

private final class LambdaClosure: LambdaEvaluator {
    let lambda: TestLambda
    let types: [LogicalType]
    let output: Output
    init(_ lambda: TestLambda, _ types: [LogicalType], _ output: Output) {
        self.lambda = lambda
        self.types = types
        self.output = output
    }
    func evaluate(
        parameters: [Vector], rowCount: Int, outerRows: UnsafePointer<UInt32>
    ) -> Vector {
        let builder = ColumnBuilder(lambda.result, output)
        for row in 0..<rowCount {
            lambda.body(
                zip(parameters, types).map { render($1, $0, row) }
            ).write(builder)
        }
        return builder.vector
    }
}

/// Calls a function over flat, selected and constant vectors and gives the result as text. Throws the
/// fault that the kernel left.
func evaluate(
    _ name: String, _ arguments: [(LogicalType, Value)], lambdas: [TestLambda] = [],
    session: SessionValues? = nil
) throws -> String {
    let types: [ArgumentType] =
        arguments.map { .value($0.0) }
        + lambdas.map { .lambda(parameterCount: $0.parameterCount, result: $0.result) }
    let resolved = try FunctionRegistry.standard.resolveScalar(name, types)
    let answers = try [false, true].map { isConstant in
        try run(
            resolved, arguments.map(\.1), lambdas, isConstant: isConstant,
            session ?? testSession)
    }
    if resolved.function.isDeterministic {
        #expect(answers[0] == answers[1], "constant and flat differ: \(name)")
    }
    return answers[0]
}

let testSession = SessionValues(
    startMicroseconds: 1_709_210_096_789_000, zone: "+02:00", user: "ann", schema: "s",
    randomSeed: 7)

private func run(
    _ resolved: ResolvedScalar, _ values: [Value], _ lambdas: [TestLambda], isConstant: Bool,
    _ session: SessionValues
) throws -> String {
    let context = EvaluationContext(session: session)
    let heap = Arena(budget: MemoryBudget(limitBytes: 1 << 30))
    let function = resolved.function
    let rowCount = isConstant ? 1 : 5
    let row = isConstant ? 0 : 3
    var result = Vector(
        physical: resolved.result.physical, values: allocateBuffer(byteCount: 16 * rowCount))
    let valid = allocateBuffer(byteCount: 8).bindMemory(to: UInt64.self, capacity: 1)
    valid[0] = ~0
    result.valid = valid
    defer {
        result.values.deallocate()
        valid.deallocate()
    }
    return try withUnsafeMutablePointer(to: &result) { pointer in
        let noArguments: [Vector] = []
        func call(_ vectors: [Vector], _ types: [LogicalType], _ closures: [any LambdaEvaluator])
            -> KernelCall
        {
            let memory = try! heap.allocate(MemoryLayout<Vector>.stride * (vectors.count + 1))
                .bindMemory(to: Vector.self, capacity: vectors.count + 1)
            for (index, vector) in vectors.enumerated() {
                (memory + index).initialize(to: vector)
            }
            let selection = try! heap.allocate(8).bindMemory(to: UInt32.self, capacity: 2)
            selection[0] = UInt32(row)
            return KernelCall(
                arguments: memory, argumentTypes: types, resultType: resolved.result,
                rowCount: rowCount, selection: isConstant ? nil : UnsafePointer(selection),
                activeCount: 1, result: pointer, heap: heap, context: context, lambdas: closures)
        }
        let output = Output(call(noArguments, [], []))
        var vectors: [Vector] = []
        var types: [LogicalType] = []
        var closures: [any LambdaEvaluator] = []
        for parameter in resolved.parameters {
            switch parameter {
            case .value(let type):
                let builder = ColumnBuilder(type, output)
                // The other rows are NULL; only the selected one may be looked at.
                for _ in 0..<row { builder.pushNull() }
                let value = values[vectors.count]
                if case .null = value, function.nullsPropagate { return "NULL" }
                value.write(builder)
                var vector = builder.vector
                if isConstant {
                    vector.form = .constant
                } else {
                    builder.pushNull()
                    vector = builder.vector
                }
                vectors.append(vector)
                types.append(type)
            case .lambda(let parameters, _):
                let lambda = lambdas[closures.count]
                closures.append(LambdaClosure(lambda, parameters, output))
                vectors.append(Vector(physical: .bool, form: .constant, values: output.values))
                types.append(lambda.result)
            }
        }
        function.kernel(call(vectors, types, closures))
        if let fault = context.takeFault() { throw fault }
        return render(resolved.result, pointer.pointee, row)
    }
}

/// A value as text.
func render(_ type: LogicalType, _ vector: Vector, _ row: Int) -> String {
    guard vector.isValid(row) else { return "NULL" }
    let index = vector.valueIndex(row)
    switch type {
    case .boolean, .unknown: return vector.pointer(as: UInt8.self)[index] == 1 ? "true" : "false"
    case .date: return CivilFormat.date(vector.pointer(as: Int32.self)[index])
    case .timestamp(let precision):
        let moment =
            type.physical == .int64
            ? Moment(microseconds: vector.pointer(as: Int64.self)[index])
            : Packed.timestamp(vector.pointer(as: Int128.self)[index])
        return CivilFormat.timestamp(
            moment.microseconds, picoseconds: moment.picoseconds, precision: precision)
    case .timestampWithTimeZone(let precision):
        let moment = Packed.zoned(vector.pointer(as: Int128.self)[index])
        let shift = Int64(moment.zone.fixedOffsetMinutes ?? 0) * 60_000_000
        return CivilFormat.timestamp(moment.microseconds + shift, precision: precision) + " "
            + moment.zone.name
    case .time(let precision):
        return CivilFormat.time(
            vector.pointer(as: Int64.self)[index] / 1_000_000, precision: precision)
    case .intervalDayToSecond:
        return CivilInterval.milliseconds(vector.pointer(as: Int64.self)[index]).text
    case .intervalYearToMonth:
        return CivilInterval.months(Int64(vector.pointer(as: Int32.self)[index])).text
    case .varbinary:
        return vector.string(row).withBytes { bytes in
            bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
    default: break
    }
    switch type.physical {
    case .int32: return "\(vector.pointer(as: Int32.self)[index])"
    case .int64: return decimal(Int128(vector.pointer(as: Int64.self)[index]), type)
    case .int128: return decimal(vector.pointer(as: Int128.self)[index], type)
    case .double: return "\(vector.pointer(as: Double.self)[index])"
    case .string: return vector.string(row).string
    case .list:
        let entry = vector.pointer(as: ListEntry.self)[index]
        let children = vector.children!
        let rows = (0..<Int(entry.count)).map { Int(entry.offset) + $0 }
        if case .map(let key, let value) = type {
            let pairs = rows.map {
                render(key, children[0], $0) + "=" + render(value, children[1], $0)
            }
            return "{" + pairs.joined(separator: ", ") + "}"
        }
        return "[" + rows.map { render(type.children[0], children[0], $0) }.joined(separator: ", ")
            + "]"
    case .row:
        let children = vector.children!
        return "("
            + type.children.enumerated().map { render($1, children[$0], index) }
            .joined(separator: ", ") + ")"
    case .bool: return ""
    }
}

private func decimal(_ value: Int128, _ type: LogicalType) -> String {
    guard case .decimal(_, let scale) = type, scale > 0 else { return "\(value)" }
    var digits = "\(value.magnitude)"
    while digits.count <= scale { digits = "0" + digits }
    return (value < 0 ? "-" : "") + digits.dropLast(scale) + "." + digits.suffix(scale)
}

/// One case of a table: a call and what it gives.
struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let arguments: [(LogicalType, Value)]
    let expected: String

    init(_ name: String, _ arguments: [(LogicalType, Value)], _ expected: String) {
        self.name = name
        self.arguments = arguments
        self.expected = expected
    }

    /// Text arguments only.
    init(_ name: String, _ texts: [String], _ expected: String) {
        self.init(name, texts.map { (LogicalType.text, Value.text($0)) }, expected)
    }

    /// No arguments.
    init(_ name: String, _ expected: String) {
        self.init(name, [(LogicalType, Value)](), expected)
    }

    var testDescription: String { "\(name) → \(expected)" }

    func check() throws {
        #expect(try evaluate(name, arguments) == expected)
    }
}
