import CivilTime
import Vectors

extension ScalarFunction {
    /// The start of the query in different types: the same for all rows.
    static let now: [ScalarFunction] = [
        ScalarFunction(
            "current_timestamp", aliases: ["now"], [], .timestampWithTimeZone(precision: 3),
            "The start of the query, in the session's zone.", example: "now()",
            kernel: nullary { call in Packed.zoned(start(call)) }),
        ScalarFunction(
            "localtimestamp", [], .timestamp(precision: 3),
            "The start of the query on the clocks of the session's zone.",
            example: "localtimestamp", kernel: nullary { call in localStart(call).microseconds }),
        ScalarFunction(
            "current_date", [], .date, "The day of the query's start in the session's zone.",
            example: "current_date", kernel: nullary { call in localStart(call).day }),
        ScalarFunction(
            "localtime", [], .time(precision: 3),
            "The time of day of the query's start in the session's zone.", example: "localtime",
            kernel: nullary { call in localStart(call).timeOfDay * 1_000_000 }),
        ScalarFunction(
            "current_time", [], .timeWithTimeZone(precision: 3),
            "The time of day of the query's start, with the session's offset.",
            example: "current_time",
            kernel: nullary { call in
                var zones = ZoneReader(call)
                let moment = start(call)
                return Packed.zonedTime(
                    picoseconds: moment.timeOfDay * 1_000_000,
                    offset: zones.offsetMinutes(moment))
            }),
        ScalarFunction(
            "current_timezone", [], .text, "The session's time zone.",
            example: "current_timezone()", kernel: nullary { call in call.context.zone.name }),
    ]
}

/// The query's start to the millisecond.
private func start(_ call: KernelCall) -> Moment {
    let now = call.context.session.startMicroseconds
    return Moment(microseconds: now - floorRemainder(now, 1_000), zone: call.context.zone)
}

private func localStart(_ call: KernelCall) -> Moment {
    var zones = ZoneReader(call)
    return zones.local(start(call))
}
