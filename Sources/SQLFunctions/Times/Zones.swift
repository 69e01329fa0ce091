import CivilTime
import Vectors

extension ScalarFunction {
    static let zones: [ScalarFunction] = [
        ScalarFunction(
            "from_unixtime", [.double], .timestampWithTimeZone(precision: 3),
            "Seconds since 1970 as a timestamp in the session's zone.",
            example: "from_unixtime(1709210096)", canFail: true,
            kernel: { call in
                let zone = call.context.zone
                call.unary { (seconds: Double) in try unixMoment(seconds, zone) }
            }),
        ScalarFunction(
            "from_unixtime", [.double, .text], .timestampWithTimeZone(precision: 3),
            "Seconds since 1970 as a timestamp in a zone.",
            example: "from_unixtime(1709210096, 'Europe/Vienna')", canFail: true,
            kernel: binary { (seconds: Double, zone: Text) in
                try unixMoment(seconds, try zoneKey(zone))
            }),
        ScalarFunction(
            "from_unixtime", [.double, .bigint, .bigint], .timestampWithTimeZone(precision: 3),
            "Seconds since 1970 as a timestamp with an offset of hours and minutes.",
            example: "from_unixtime(1709210096, 5, 30)", canFail: true,
            kernel: ternary { (seconds: Double, hours: Int64, minutes: Int64) in
                guard hours.magnitude <= 18, minutes.magnitude < 60,
                    let zone = TimeZoneKey(offsetMinutes: Int(hours * 60 + minutes)),
                    zone.isOffered
                else { throw invalid("Invalid offset: \(hours) hours, \(minutes) minutes") }
                return try unixMoment(seconds, zone)
            }),
        ScalarFunction(
            "from_unixtime_nanos", [.bigint], .timestampWithTimeZone(precision: 9),
            "Nanoseconds since 1970 as a timestamp in the session's zone.",
            example: "from_unixtime_nanos(1709210096789012345)",
            kernel: { call in
                let zone = call.context.zone
                call.unary { (nanoseconds: Int64) in
                    Packed.zoned(
                        Moment(
                            microseconds: floorDivide(nanoseconds, 1_000),
                            picoseconds: Int32(floorRemainder(nanoseconds, 1_000)) * 1_000,
                            zone: zone))
                }
            }),
        ScalarFunction(
            "from_unixtime_nanos",
            .values("decimal(p,s)", "timestamp(9) with time zone") { types in
                guard types.count == 1, types[0].isDecimal else { return nil }
                return (types, .timestampWithTimeZone(precision: 9))
            }, "Nanoseconds since 1970 as a timestamp in the session's zone.",
            example: "from_unixtime_nanos(DECIMAL '1709210096789012345')", canFail: true,
            kernel: { call in
                let zone = call.context.zone
                let scale = call.argumentTypes[0].scale
                let vector = call.arguments[0]
                call.rows { row -> Int128 in
                    var value = ValueOrder.wide(vector, vector.valueIndex(row))
                    // A fraction of a nanosecond is rounded, halves away from zero.
                    for step in 0..<scale {
                        let digit = value % 10
                        value /= 10
                        if step == scale - 1, digit.magnitude >= 5 { value += digit.signum() }
                    }
                    let remainder = ((value % 1_000) + 1_000) % 1_000
                    guard let microseconds = Int64(exactly: (value - remainder) / 1_000) else {
                        throw outOfRange("Timestamp out of range: \(value) nanoseconds")
                    }
                    return Packed.zoned(
                        Moment(
                            microseconds: microseconds, picoseconds: Int32(remainder) * 1_000,
                            zone: zone))
                }
            }),
        ScalarFunction(
            "to_unixtime",
            .number(
                "timestamp", fallback: .timestampWithTimeZone(precision: 3),
                accepts: \.isTimestamp, result: { _ in .double }),
            "Seconds since 1970.", example: "to_unixtime(TIMESTAMP '2024-02-29 13:14:15 UTC')",
            kernel: { call in
                if call.argumentTypes[0].physical == .int64 {
                    return call.unary { (time: Int64) in Double(time) / 1_000_000 }
                }
                let isZoned = call.argumentTypes[0].isZonedTimestamp
                call.unary { (value: Int128) in
                    let moment = isZoned ? Packed.zoned(value) : Packed.timestamp(value)
                    return (Double(moment.microseconds) + Double(moment.picoseconds) / 1_000_000)
                        / 1_000_000
                }
            }),
        moving(.text, "A point of time on the clocks of another zone."),
        moving(.intervalDayToSecond, "A point of time at another offset."),
        ScalarFunction(
            "with_timezone",
            .values("timestamp(p), varchar", "timestamp(p) with time zone") { types in
                guard types.count == 2 else { return nil }
                switch types[0] {
                case .timestamp(let precision):
                    return ([types[0], .text], .timestampWithTimeZone(precision: precision))
                case .date, .unknown:
                    return (
                        [.timestamp(precision: 3), .text], .timestampWithTimeZone(precision: 3)
                    )
                default: return nil
                }
            }, "A timestamp read on the clocks of a zone.",
            example: "with_timezone(TIMESTAMP '2024-02-29 13:14:15', 'Europe/Vienna')",
            canFail: true,
            kernel: { call in
                let names = call.input(1, as: Text.self)
                var zones = ZoneReader(call)
                call.readMoments(0) { row, local in
                    var moment = local
                    moment.zone = try zoneKey(names[row])
                    return Packed.zoned(zones.utc(moment))
                }
            }),
        ScalarFunction(
            "to_milliseconds", [.intervalDayToSecond], .bigint, "The interval in milliseconds.",
            example: "to_milliseconds(INTERVAL '2' SECOND)",
            kernel: unary { (value: Int64) in value }),
    ]

    /// `at_timezone` by a name or an offset.
    private static func moving(_ zone: LogicalType, _ summary: String) -> ScalarFunction {
        ScalarFunction(
            "at_timezone",
            .values("timestamp(p) with time zone, \(zone)", "timestamp(p) with time zone") {
                types in
                guard types.count == 2, types[1] == zone || types[1].coerces(to: zone) else {
                    return nil
                }
                switch types[0] {
                case .timestampWithTimeZone, .timeWithTimeZone: return ([types[0], zone], types[0])
                case .timestamp(let precision):
                    let own = LogicalType.timestampWithTimeZone(precision: precision)
                    return ([own, zone], own)
                case .time(let precision):
                    let own = LogicalType.timeWithTimeZone(precision: precision)
                    return ([own, zone], own)
                case .date, .unknown:
                    let own = LogicalType.timestampWithTimeZone(precision: 3)
                    return ([own, zone], own)
                default: return nil
                }
            }, summary,
            example: zone == .text
                ? "at_timezone(TIMESTAMP '2024-02-29 13:14:15 UTC', 'Europe/Vienna')"
                : "at_timezone(TIMESTAMP '2024-02-29 13:14:15 UTC', INTERVAL '2' HOUR)",
            canFail: true,
            kernel: { call in
                let names = call.input(1, as: Text.self)
                let offsets = call.input(1, as: Int64.self)
                func key(_ row: Int) throws -> TimeZoneKey {
                    if zone == .text { return try zoneKey(names[row]) }
                    let offset = offsets[row]
                    guard offset % 60_000 == 0, offset.magnitude <= 64_800_000,
                        let key = TimeZoneKey(offsetMinutes: Int(offset / 60_000)), key.isOffered
                    else { throw invalid("Invalid time zone offset interval") }
                    return key
                }
                if call.resultType.isZonedTimestamp {
                    let times = call.input(0, as: Int128.self)
                    return call.rows { row in
                        var moment = Packed.zoned(times[row])
                        moment.zone = try key(row)
                        return Packed.zoned(moment)
                    }
                }
                // A time has no day: the zone's offset at the start of the query counts.
                let times = call.input(0, as: Int128.self)
                var zones = ZoneReader(call)
                let now = call.context.session.startMicroseconds
                call.rows { row in
                    let offset = zones.offsetMinutes(
                        Moment(microseconds: now, zone: try key(row)))
                    return Packed.zonedTime(
                        picoseconds: Packed.zonedTime(times[row]).picoseconds, offset: offset)
                }
            })
    }
}

/// Seconds since 1970, rounded to milliseconds.
private func unixMoment(_ seconds: Double, _ zone: TimeZoneKey) throws -> Int128 {
    let milliseconds = (seconds * 1_000).rounded(.toNearestOrAwayFromZero)
    guard milliseconds.magnitude < 9e15 else {
        throw invalid("Invalid unix time: \(seconds)")
    }
    return Packed.zoned(Moment(microseconds: Int64(milliseconds) * 1_000, zone: zone))
}
