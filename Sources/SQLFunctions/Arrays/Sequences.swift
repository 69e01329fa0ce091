import CivilTime
import Vectors

extension ScalarFunction {
    static let sequences: [ScalarFunction] = [
        ScalarFunction(
            "sequence", [.bigint, .bigint], .array(.bigint),
            "The whole numbers from one to another, up or down.", example: "sequence(1, 5)",
            canFail: true, kernel: wholeSequence),
        ScalarFunction(
            "sequence", [.bigint, .bigint, .bigint], .array(.bigint),
            "The whole numbers from one to another by a step.", example: "sequence(1, 9, 3)",
            canFail: true, kernel: wholeSequence),
        ScalarFunction(
            "sequence", [.date, .date], .array(.date), "The days from one to another.",
            example: "sequence(DATE '2024-02-28', DATE '2024-03-01')", canFail: true,
            kernel: dateSequence),
        ScalarFunction(
            "sequence", [.date, .date, .intervalDayToSecond], .array(.date),
            "The days from one to another by a step.",
            example: "sequence(DATE '2024-01-01', DATE '2024-02-01', INTERVAL '7' DAY)",
            canFail: true, kernel: dateSequence),
        ScalarFunction(
            "sequence", [.date, .date, .intervalYearToMonth], .array(.date),
            "The days from one to another by a step of months.",
            example: "sequence(DATE '2024-01-31', DATE '2024-06-01', INTERVAL '1' MONTH)",
            canFail: true, kernel: dateSequence),
        timestamps(.intervalDayToSecond, "INTERVAL '6' HOUR"),
        timestamps(.intervalYearToMonth, "INTERVAL '1' MONTH"),
    ]

    private static func timestamps(_ step: LogicalType, _ example: String) -> ScalarFunction {
        ScalarFunction(
            "sequence",
            .values("timestamp(p), timestamp(p), \(step)", "array(timestamp(p))") { types in
                guard types.count == 3, types[2] == step,
                    case .timestamp(let precision)? = LogicalType.commonSuperType(
                        types[0], types[1])
                else { return nil }
                let type = LogicalType.timestamp(precision: min(max(precision, 3), 6))
                return ([type, type, step], .array(type))
            }, "The timestamps from one to another by a step.",
            example: "sequence(TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-03-01 00:00:00', "
                + "\(example))",
            canFail: true,
            kernel: { call in
                let starts = call.input(0, as: Int64.self)
                let ends = call.input(1, as: Int64.self)
                let months = call.input(2, as: Int32.self)
                let steps = call.input(2, as: Int64.self)
                call.lists { row, builder in
                    let isMonths = step == .intervalYearToMonth
                    let size = isMonths ? Int64(months[row]) : steps[row]
                    try fill(
                        from: starts[row], to: ends[row], isUp: size > 0, isStill: size == 0,
                        next: { index in
                            let (shift, overflow) = size.multipliedReportingOverflow(by: index)
                            if overflow { return nil }
                            return isMonths
                                ? addMonths(shift, toMicroseconds: starts[row])
                                : DateUnit.millisecond.add(shift, toMicroseconds: starts[row])
                        }, { builder.children[0].push($0) })
                    return true
                }
            })
    }
}

private let wholeSequence: ScalarFunction.Kernel = { call in
    let starts = call.input(0, as: Int64.self)
    let ends = call.input(1, as: Int64.self)
    let steps = call.argumentCount > 2 ? call.input(2, as: Int64.self) : nil
    call.lists { row, builder in
        let step = steps?[row] ?? (ends[row] >= starts[row] ? 1 : -1)
        try fill(
            from: starts[row], to: ends[row], isUp: step > 0, isStill: step == 0,
            next: { index in
                let (shift, first) = step.multipliedReportingOverflow(by: index)
                let (sum, second) = starts[row].addingReportingOverflow(shift)
                return first || second ? nil : sum
            }, { builder.children[0].push($0) })
        return true
    }
}

private let dateSequence: ScalarFunction.Kernel = { call in
    let starts = call.input(0, as: Int32.self)
    let ends = call.input(1, as: Int32.self)
    let isMonths = call.argumentCount > 2 && call.argumentTypes[2] == .intervalYearToMonth
    let months = isMonths ? call.input(2, as: Int32.self) : nil
    let intervals = call.argumentCount > 2 && !isMonths ? call.input(2, as: Int64.self) : nil
    call.lists { row, builder in
        var step: Int64 = ends[row] >= starts[row] ? 1 : -1
        if let months { step = Int64(months[row]) }
        if let intervals {
            guard intervals[row] % 86_400_000 == 0 else {
                throw invalid(
                    "sequence step must be a day interval if start and end values are dates")
            }
            step = intervals[row] / 86_400_000
        }
        try fill(
            from: Int64(starts[row]), to: Int64(ends[row]), isUp: step > 0, isStill: step == 0,
            next: { index in
                let (shift, overflow) = step.multipliedReportingOverflow(by: index)
                if overflow { return nil }
                let unit: DateUnit = isMonths ? .month : .day
                return unit.add(shift, toDays: starts[row]).map { Int64($0) }
            }, { builder.children[0].push(Int32(truncatingIfNeeded: $0)) })
        return true
    }
}

/// Calls `push` with the values that `next` gives for 0, 1, 2 and so on, as far as `end`.
private func fill(
    from start: Int64, to end: Int64, isUp: Bool, isStill: Bool, next: (Int64) -> Int64?,
    _ push: (Int64) -> Void
) throws {
    guard !isStill else { throw invalid("step must not be zero") }
    guard isUp ? end >= start : end <= start else {
        throw invalid(
            "sequence stop value should be greater than or equal to start value if step is greater "
                + "than zero otherwise stop should be less than or equal to start")
    }
    var index: Int64 = 0
    while let value = next(index), isUp ? value <= end : value >= end {
        guard index < Int64(FunctionLimits.sequenceElements) else {
            throw invalid(
                "result of sequence function must not have more than "
                    + "\(FunctionLimits.sequenceElements) entries")
        }
        push(value)
        index += 1
    }
}
