package import CivilTime
package import JSON

extension Frame {
    /// The frame as clients send it back for the next question, and as question files expect it.
    package var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("model", .string(model)), ("metrics", .array(metrics.map { .string($0) })),
        ]
        if !breakdowns.isEmpty { members.append(("by", .array(breakdowns.map(\.json)))) }
        if !filters.isEmpty || !partFilters.isEmpty {
            members.append(("where", .array(filters.map(\.json) + partFilters.map(\.json))))
        }
        if let period { members.append(("period", period.json)) }
        if let comparison { members.append(("compareTo", comparison.json)) }
        if !thresholds.isEmpty { members.append(("having", .array(thresholds.map(\.json)))) }
        if let ranking { members.append(("order", ranking.json)) }
        if let average { members.append(("averagePer", .string(average.rawValue))) }
        if hasShare { members.append(("share", true)) }
        if let zone { members.append(("zone", .string(zone.name))) }
        return .object(members)
    }

    /// Reads what `json` writes. Names are not looked up here; `FrameCheck` does.
    package init(_ value: JSONCursor, model name: String? = nil) throws(MetricError) {
        do {
            let known = [
                "model", "metrics", "by", "where", "period", "compareTo", "having", "order",
                "averagePer", "share", "zone",
            ]
            for member in try value.object().names where !known.contains(member) {
                throw MetricError(.invalidFrame, "the frame has an unknown member: \(member)")
            }
            self.init(model: try name ?? value["model"].string())
            metrics = try value["metrics"].strings()
            breakdowns = try (value["by"].optionalElements() ?? []).map { try Breakdown($0) }
            for filter in try value["where"].optionalElements() ?? [] {
                if filter["part"].isPresent {
                    partFilters.append(try PartFilter(filter))
                } else {
                    filters.append(try ValueFilter(filter))
                }
            }
            if value["period"].isPresent { period = try Period(value["period"]) }
            if value["compareTo"].isPresent { comparison = try Period(value["compareTo"]) }
            thresholds = try (value["having"].optionalElements() ?? []).map { try Threshold($0) }
            if value["order"].isPresent { ranking = try Ranking(value["order"]) }
            if let name = try value["averagePer"].optionalString() {
                guard let unit = DateUnit(rawValue: name), unit != .second, unit != .millisecond
                else { throw unknown("unit", name) }
                average = unit
            }
            hasShare = try value["share"].optionalBool() ?? false
            if let name = try value["zone"].optionalString() { zone = try TimeZoneKey(asked: name) }
        } catch let error as MetricError {
            throw error
        } catch let error as JSONError {
            throw MetricError(.invalidFrame, "the frame cannot be read: \(error.message)")
        } catch {
            throw MetricError(.invalidFrame, "the frame cannot be read")
        }
    }
}

/// What a frame's member may be, said when it is not.
private func unknown(_ what: String, _ text: String) -> MetricError {
    MetricError(.invalidFrame, "the frame has an unknown \(what): \(text)")
}

extension TimeZoneKey {
    /// The zone that a request names.
    package init(asked name: String) throws(MetricError) {
        do throws(CivilTimeError) { self = try TimeZoneKey.named(name) } catch {
            throw MetricError(.invalidFrame, error.message, hint: error.hint)
        }
    }
}

extension Breakdown {
    var json: JSONValue {
        switch self {
        case .dimension(let name): .string(name)
        case .series(let unit): .object([("each", .string(unit.rawValue))])
        case .part(let part): .object([("part", .string(part.rawValue))])
        }
    }

    init(_ value: JSONCursor) throws {
        if value.isString {
            self = .dimension(try value.string())
        } else if let name = try value["each"].optionalString() {
            guard let unit = DateUnit(rawValue: name), unit != .second, unit != .millisecond else {
                throw unknown("unit", name)
            }
            self = .series(unit)
        } else {
            let name = try value["part"].string()
            guard let part = TimePart(rawValue: name) else { throw unknown("part", name) }
            self = .part(part)
        }
    }
}

extension ValueFilter {
    var json: JSONValue {
        .object([
            ("dimension", .string(dimension)),
            (isNegated ? "isNot" : "is", .array(values.map { .string($0) })),
        ])
    }

    init(_ value: JSONCursor) throws {
        let isNegated = value["isNot"].isPresent
        self.init(
            dimension: try value["dimension"].string(),
            values: try value[isNegated ? "isNot" : "is"].strings(), isNegated: isNegated)
    }
}

extension PartFilter {
    var json: JSONValue {
        .object([
            ("part", .string(part.rawValue)),
            (isNegated ? "isNot" : "is", .array(values.map { .int($0) })),
        ])
    }

    init(_ value: JSONCursor) throws {
        let name = try value["part"].string()
        guard let part = TimePart(rawValue: name) else { throw unknown("part", name) }
        let isNegated = value["isNot"].isPresent
        self.init(
            part: part,
            values: try value[isNegated ? "isNot" : "is"].elements().map { try $0.int() },
            isNegated: isNegated)
    }
}

extension Period {
    var json: JSONValue {
        var members: [(String, JSONValue)] = []
        if let start { members.append(("from", .string(Period.text(start)))) }
        if let end { members.append(("to", .string(Period.text(end)))) }
        members.append(("unit", .string(unit.rawValue)))
        if count != 1 { members.append(("count", .int(count))) }
        return .object(members)
    }

    init(_ value: JSONCursor) throws {
        func edge(_ name: String) throws -> Int64? {
            guard let text = try value[name].optionalString() else { return nil }
            guard let found = CivilParse.timestamp(text), found.zone == nil else {
                throw unknown("time", text)
            }
            return found.microseconds
        }
        let name = try value["unit"].optionalString() ?? "day"
        guard let unit = DateUnit(rawValue: name) else { throw unknown("unit", name) }
        let count = try value["count"].optionalInt() ?? 1
        guard (1...100_000).contains(count) else { throw unknown("count", "\(count)") }
        self.init(start: try edge("from"), end: try edge("to"), unit: unit, count: count)
        guard start != nil || end != nil else { throw unknown("period", "without from and to") }
    }
}

extension Threshold {
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("metric", .string(metric)), ("is", .string(relation.rawValue)),
            ("value", .number(JSONNumber(text: value.text))),
        ]
        if let upper { members.append(("upper", .number(JSONNumber(text: upper.text)))) }
        return .object(members)
    }

    init(_ value: JSONCursor) throws {
        func number(_ cursor: JSONCursor) throws -> ExactNumber {
            guard case .number(let found)? = cursor.value, let exact = ExactNumber(found.text)
            else { throw unknown("number", cursor.value?.encodedText() ?? "nothing") }
            return exact
        }
        let name = try value["is"].string()
        guard let relation = Relation(rawValue: name) else { throw unknown("relation", name) }
        self.init(
            metric: try value["metric"].string(), relation: relation,
            value: try number(value["value"]),
            upper: value["upper"].isPresent ? try number(value["upper"]) : nil)
        guard (upper != nil) == (relation == .between) else { throw unknown("bound", "upper") }
    }
}

extension Ranking {
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("metric", .string(metric)),
            ("direction", .string(isDescending ? "descending" : "ascending")),
        ]
        if let count { members.append(("count", .int(count))) }
        if !within.isEmpty { members.append(("per", .array(within.map(\.json)))) }
        return .object(members)
    }

    init(_ value: JSONCursor) throws {
        let direction = try value["direction"].optionalString() ?? "descending"
        guard ["descending", "ascending"].contains(direction) else {
            throw unknown("direction", direction)
        }
        self.init(
            metric: try value["metric"].string(), isDescending: direction == "descending",
            count: try value["count"].optionalInt(),
            within: try (value["per"].optionalElements() ?? []).map { try Breakdown($0) })
    }
}
