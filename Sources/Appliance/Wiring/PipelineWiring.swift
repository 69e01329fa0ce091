import Authority
import CivilTime
import ConsoleAPI
import Diagnostics
import DiskObjectStorage
import Ingest
import JSON
import Jobs
import Platform
import QueryAPI
import SQLEngine
import SQLFunctions

/// Steps of kind `ingest`.
struct IngestStep: JobHandler {
    let ingestor: Ingestor
    let branches: RunBranches

    func problem(with options: JSONValue) -> OptionProblem? {
        IngestRequest.problem(with: options).map {
            OptionProblem(path: $0.option ?? "", message: $0.message, hint: $0.hint)
        }
    }

    func run(_ step: StepRun) throws -> StepResult {
        var request = try IngestRequest(step.options)
        let references = try branches.names(step.context, step.branch)
        if let branch = references[request.target.warehouse] {
            request.target.warehouse += "@" + branch
        }
        let report = try ingestor.run(
            step.context, request,
            identity: IngestIdentity(runID: step.runID, stepID: step.stepID), log: step.log)
        let rows = report.rowsInserted + report.rowsUpdated + report.rowsDeleted
        return StepResult(message: report.sentence, rows: Int64(rows))
    }

    func isPermanent(_ error: any Error) -> Bool {
        IngestError.isPermanent(error)
    }
}

/// SQL of pipelines, over the engine.
struct EngineStatementRunner: StatementRunner {
    let engine: QueryEngine
    let zones: TimeZones
    let branches: RunBranches

    func run(
        _ sql: String, context: RequestContext, properties: [String: String]
    ) throws -> Int64 {
        try run(sql, context, properties, [:])
    }

    func run(
        _ sql: String, context: RequestContext, properties: [String: String], branch: RunBranch
    ) throws -> Int64 {
        try run(sql, context, properties, try branches.names(context, branch))
    }

    private func run(
        _ sql: String, _ context: RequestContext, _ properties: [String: String],
        _ references: [String: String]
    ) throws -> Int64 {
        var session = QuerySession(catalog: "lakehouse")
        session.source = "pipeline"
        session.commitProperties = properties
        session.branches = references
        let query = try engine.submit(
            sql, session: session, context: context, encoder: TrinoEncoder(zones: zones))
        while !query.waitForEnd(patience: .seconds(5)) {}
        let snapshot = query.snapshot
        if let fault = snapshot.fault { throw fault }
        return snapshot.updateCount ?? snapshot.statistics.outputRows
    }
}

/// The scheduler for the console's pages.
struct SchedulerBrowser: PipelineBrowser {
    let jobs: JobScheduler
    let objects: DiskObjectStore
    /// Decides without a trail: who looks at the page did not ask for buckets.
    let quiet: any Authorizer

    func waitingFiles(_ context: RequestContext) -> WaitingFiles {
        let found = UnclaimedObjects(jobs: jobs, objects: objects, quiet: quiet).all(context)
        return WaitingFiles(
            files: found.files.map {
                WaitingFile(
                    bucket: $0.bucket, key: $0.key, expected: $0.expected, remedy: $0.remedy)
            }, isCut: found.isCut)
    }

    func pipelines(_ context: RequestContext) throws -> [ConsoleAPI.PipelineSummary] {
        try jobs.pipelines(context).map { summary($0, []) }
    }

    func pipeline(
        _ context: RequestContext, name: String
    ) throws -> ConsoleAPI.PipelineSummary? {
        do {
            let found = try jobs.pipeline(context, name)
            let steps = (found.document?.steps ?? []).map {
                ConsoleAPI.PipelineSummary.Step(name: $0.id, kind: $0.kind, needs: $0.needs)
            }
            return summary(found.summary, steps)
        } catch let error as JobError where error.code == .noSuchPipeline { return nil }
    }

    func runs(
        _ context: RequestContext, pipeline: String?, limit: Int
    ) throws -> [PipelineRun] {
        try jobs.runs(context, pipeline: pipeline, limit: limit).map(run)
    }

    func run(
        _ context: RequestContext, id: String
    ) throws -> (run: PipelineRun, attempts: [PipelineAttempt])? {
        do {
            let detail = try jobs.run(context, id)
            let lines = try jobs.log(context, id)
            let attempts = detail.attempts.map { attempt in
                PipelineAttempt(
                    step: attempt.step, number: attempt.number, state: attempt.state.rawValue,
                    startedMicroseconds: attempt.startedMicroseconds,
                    endedMicroseconds: attempt.finishedMicroseconds,
                    error: attempt.state == .succeeded ? nil : attempt.message,
                    log: lines.filter { $0.step == attempt.step && $0.attempt == attempt.number }
                        .map(\.text).joined(separator: "\n"))
            }
            return (run(detail.run), attempts)
        } catch let error as JobError where error.code == .noSuchRun { return nil }
    }

    func start(_ context: RequestContext, pipeline: String) throws -> String {
        try jobs.trigger(context, pipeline).id
    }

    private func summary(
        _ found: Jobs.PipelineSummary, _ steps: [ConsoleAPI.PipelineSummary.Step]
    ) -> ConsoleAPI.PipelineSummary {
        ConsoleAPI.PipelineSummary(
            name: found.name, title: found.name, description: found.description,
            triggers: PipelineJSON.causes(found),
            isPaused: !found.isEnabled, nextRunMicroseconds: found.nextDueMicroseconds,
            lastRun: found.lastRun.map(run), steps: steps)
    }

    private func run(_ record: RunRecord) -> PipelineRun {
        PipelineRun(
            id: record.id, pipeline: record.pipeline,
            state: record.state == .queued ? "waiting" : record.state.rawValue,
            cause: record.trigger == .manual ? record.requestedBy : record.trigger.rawValue,
            createdMicroseconds: record.createdMicroseconds,
            endedMicroseconds: record.finishedMicroseconds)
    }
}
