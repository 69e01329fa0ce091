package import Authority
package import CivilTime

/// Answers questions for a caller. Doors and tools (console, REST, command line, MCP) hold one.
package protocol QuestionAnswering: Sendable {
    /// Answers, offers readings, or refuses; throws what the data or the request did wrong. Everything
    /// runs as the caller.
    func ask(
        _ context: RequestContext, _ request: AskRequest
    ) throws(MetricError) -> AskOutcome

    /// The models that the caller can ask, for listings.
    func models(_ context: RequestContext) -> [MetricModel]
}

/// The metric layer over a warehouse.
package final class Asker: QuestionAnswering {
    private let source: any MetricModelSource
    private let warehouse: any MetricWarehouse
    private let index: ValueIndex
    private let filler: (any FrameFiller)?
    private let zones: TimeZones
    /// Microseconds since 1970 UTC.
    private let now: @Sendable () -> Int64

    /// `filler` may fill frames of questions that the grammar refuses; nil: nothing but the grammar.
    package init(
        source: any MetricModelSource, warehouse: any MetricWarehouse,
        filler: (any FrameFiller)? = nil, zones: TimeZones, now: @escaping @Sendable () -> Int64
    ) {
        self.source = source
        self.warehouse = warehouse
        self.filler = filler
        self.zones = zones
        self.now = now
        index = ValueIndex(warehouse)
    }

    /// A model with what the caller may see of its tables.
    private struct Active {
        var model: MetricModel
        var states: [String: MetricTableState]
        var values: [String: [String]]
        var reader: QuestionReader
        /// The zone that was asked for, where it is not the model's own; `model` has it already.
        var zone: TimeZoneKey?
    }

    package func models(_ context: RequestContext) -> [MetricModel] {
        source.models().models.filter { model in
            model.tables.contains {
                ((try? warehouse.state(context, table: $0.source)) ?? nil) != nil
            }
        }
    }

    package func ask(
        _ context: RequestContext, _ request: AskRequest
    ) throws(MetricError) -> AskOutcome {
        let moment = request.asOf ?? now()
        if request.frame == nil, let refusal = NotAQuestion.refusal(of: request.question) {
            return .refused(question: request.question, refusal)
        }
        let active = try self.active(context, request, moment)
        guard !active.isEmpty else {
            return .refused(
                question: request.question,
                Refusal(
                    .noModel, "there is no metric model whose tables you may read",
                    suggestions: ["put one into <data>/metrics, see `lakehouse metric check`"]))
        }
        if let frame = request.frame {
            guard let one = active.first(where: { $0.model.name == frame.model }) else {
                throw MetricError(.noSuchModel, "there is no model: \(frame.model)")
            }
            return try answer(context, request, one, reading(frame, one), "frame", moment)
        }
        return try read(context, request, active, moment)
    }

    private func read(
        _ context: RequestContext, _ request: AskRequest, _ active: [Active], _ moment: Int64
    ) throws(MetricError) -> AskOutcome {
        var readings: [(Reading, Active)] = []
        var refusals: [(Refusal, Active)] = []
        for one in active {
            switch one.reader.read(request.question, previous: request.previous) {
            case .read(let reading): readings.append((zoned(reading, one), one))
            case .ambiguous(let several): readings += several.map { (zoned($0, one), one) }
            case .refused(let refusal): refusals.append((refusal, one))
            }
        }
        if readings.count == 1 {
            return try answer(
                context, request, readings[0].1, readings[0].0, "grammar", moment)
        }
        if readings.count > 1 {
            return .ambiguous(question: request.question, readings: readings.map(\.0))
        }
        let nearest = refusals.min { weight($0.0) < weight($1.0) }
        guard let (refusal, one) = nearest else {
            return .refused(
                question: request.question, Refusal(.noModel, "there is no metric model"))
        }
        guard let filler, refusal.code == .unexplained || refusal.code == .cannotCombine else {
            return .refused(question: request.question, refusal)
        }
        let filled: Reading?
        do throws(MetricError) { filled = try fill(request, one, filler, refusal) } catch {
            // What the grammar says of the question is worth more than that nobody helped.
            var refusal = refusal
            refusal.suggestions.append("the configured endpoint did not help: \(error.message)")
            return .refused(question: request.question, refusal)
        }
        if let filled {
            return try answer(context, request, one, filled, "endpoint", moment)
        }
        return .refused(question: request.question, refusal)
    }

    private func weight(_ refusal: Refusal) -> Int {
        (refusal.code == .unexplained ? 10 : 0) + refusal.words.count
    }

    /// A frame from the endpoint: checked as every frame is, and said back in our words.
    private func fill(
        _ request: AskRequest, _ one: Active, _ filler: any FrameFiller, _ refusal: Refusal
    ) throws(MetricError) -> Reading? {
        guard
            let frame = try filler.frame(
                for: request.question, model: one.model, now: one.reader.now,
                previous: request.previous)
        else { return nil }
        var reading = try reading(frame, one)
        let words = refusal.words.map { "\"\($0)\"" }.joined(separator: ", ")
        let unexplained = words.isEmpty ? refusal.message : "nothing here explains \(words)"
        reading.notes.append(
            "\(unexplained): the frame was filled by the configured endpoint; check the reading")
        return reading
    }

    private func reading(_ frame: Frame, _ one: Active) throws(MetricError) -> Reading {
        try FrameCheck(model: one.model, values: one.values).check(frame)
        let reading = Reading(
            frame: frame, text: ReadingText(model: one.model).text(frame), corrections: [],
            notes: [])
        return zoned(reading, one)
    }

    /// The reading with its zone in the frame, so that what goes on from it stays there.
    private func zoned(_ reading: Reading, _ one: Active) -> Reading {
        var reading = reading
        reading.frame.zone = one.zone
        return reading
    }

    private func active(
        _ context: RequestContext, _ request: AskRequest, _ moment: Int64
    ) throws(MetricError) -> [Active] {
        var found: [Active] = []
        let all = source.models().models
        let wanted = request.model ?? request.frame?.model
        if let wanted, !all.contains(where: { $0.name == wanted }) {
            throw MetricError(
                .noSuchModel, "there is no model: \(wanted)",
                hint: "models: \(all.map(\.name).joined(separator: ", "))")
        }
        let zone = request.zone ?? request.frame?.zone ?? request.previous?.zone
        for var model in all where wanted == nil || model.name == wanted {
            let other = zone == model.zone ? nil : zone
            model.zone = other ?? model.zone
            var states: [String: MetricTableState] = [:]
            for table in model.tables {
                if let state = try? warehouse.state(context, table: table.source) {
                    states[table.name] = state
                }
            }
            // A model is there when the tables of some metric are.
            let visible = readable(model, states)
            guard !visible.metrics.isEmpty else { continue }
            let values = try index.values(context, visible, states)
            let local = try zoneRules(model).localMicroseconds(ofUTC: moment)
            found.append(
                Active(
                    model: visible, states: states, values: values,
                    reader: QuestionReader(model: visible, values: values, now: local),
                    zone: other))
        }
        return found
    }

    /// The model without what lies in tables that the caller cannot read.
    private func readable(
        _ model: MetricModel, _ states: [String: MetricTableState]
    ) -> MetricModel {
        var result = model
        result.joins = model.joins.filter { states[$0.from] != nil && states[$0.to] != nil }
        result.dimensions = model.dimensions.filter { states[$0.table] != nil }
        let names = model.tables.map(\.name)
        result.metrics = model.metrics.filter { metric in
            let texts =
                [metric.expression] + metric.filters + [metric.denominator].compactMap { $0 }
            let tables = texts.flatMap { (try? SQLScan($0, known: names).tables) ?? [] }
            return states[metric.table] != nil && tables.allSatisfy { states[$0] != nil }
        }
        return result
    }

    private func zoneRules(_ model: MetricModel) throws(MetricError) -> TimeZoneRules {
        do throws(CivilTimeError) { return try zones.rules(for: model.zone) } catch {
            throw MetricError(.invalidFile, error.message, hint: error.hint, cause: error)
        }
    }

    /// What the data of the frame's metrics does not cover.
    private func coverage(
        _ context: RequestContext, _ one: Active, _ frame: Frame, _ moment: Int64
    ) throws(MetricError) -> [String] {
        let hasSeries = frame.breakdowns.contains { if case .series = $0 { true } else { false } }
        guard frame.period != nil || hasSeries else { return [] }
        let rules = try zoneRules(one.model)
        var notes: [String] = []
        var seen: Set<String> = []
        for metric in frame.metrics.compactMap(one.model.metric)
        where seen.insert(metric.table).inserted {
            guard let table = one.model.table(metric.table), let time = table.time,
                let state = one.states[table.name],
                let span = try index.span(context, table, time, state)
            else { continue }
            // Days are those of every zone.
            let isDays = time.kind == .date
            notes += Coverage(
                first: isDays ? span.first : rules.localMicroseconds(ofUTC: span.first),
                last: isDays ? span.last : rules.localMicroseconds(ofUTC: span.last),
                now: rules.localMicroseconds(ofUTC: moment), table: spoken(table.name)
            ).notes(frame)
        }
        return notes
    }

    // MARK: Answering

    private func answer(
        _ context: RequestContext, _ request: AskRequest, _ one: Active, _ reading: Reading,
        _ readBy: String, _ moment: Int64
    ) throws(MetricError) -> AskOutcome {
        let snapshots = one.states.compactMapValues(\.snapshotID)
        let writer = try FrameSQL(
            model: one.model, frame: reading.frame, zone: zoneRules(one.model),
            snapshots: snapshots, rowLimit: request.rowLimit)
        let statement = try writer.statement()
        for join in statement.joins {
            try index.check(context, join, one.model, one.states)
        }
        var result: MetricRows
        do throws(MetricError) {
            result = try warehouse.rows(context, sql: statement.sql, limit: request.rowLimit)
        } catch  where error.code == .denied {
            return .refused(
                question: request.question,
                Refusal(
                    .denied, error.message,
                    suggestions: error.hint.map { [$0] } ?? []))
        }
        let columns = zip(statement.columns, result.columns).map { column, typed in
            AskAnswer.Column(
                name: typed.name, type: typed.type, label: column.label,
                format: column.isFraction
                    ? "percent"
                    : column.isPoints ? "points" : column.metric?.format.rawValue ?? "",
                unit: column.isFraction ? "" : column.metric?.unit ?? "",
                decimals: column.metric?.decimals)
        }
        var reading = reading
        reading.notes += try coverage(context, one, reading.frame, moment)
        for guarded in writer.guarded {
            let thin = try warehouse.rows(
                context, sql: writer.thin(guarded, limit: ThinGroups.limit + 1),
                limit: ThinGroups.limit)
            reading.notes += ThinGroups(one: guarded, frame: reading.frame, columns: columns)
                .notes(thin: thin, shown: result.rows)
            result.scannedRows += thin.scannedRows
            result.scannedBytes += thin.scannedBytes
            result.milliseconds += thin.milliseconds
        }
        return .answered(
            AskAnswer(
                question: request.question, reading: reading, model: one.model, sql: statement.sql,
                tables: statement.tables.compactMap { name in
                    one.model.table(name).map {
                        AskAnswer.Table(
                            name: $0.source.joined(separator: "."),
                            snapshotID: one.states[name]?.snapshotID,
                            policy: one.states[name]?.policy ?? "")
                    }
                },
                columns: columns, rows: result.rows, isTruncated: result.isTruncated,
                scannedRows: result.scannedRows, scannedBytes: result.scannedBytes,
                milliseconds: result.milliseconds, queryID: result.queryID,
                chart: ChartSuggestion.chart(reading.frame, one.model), readBy: readBy,
                asOf: CivilFormat.rfc3339(utc: moment, precision: 0)))
    }
}
