package import Authority
package import JSON

/// Does the work of one kind of step. `Appliance` supplies one for each kind.
package protocol JobHandler: Sendable {
    /// What is wrong with a step's options, if anything. They still have `${…}` in them.
    func problem(with options: JSONValue) -> OptionProblem?

    /// Does the step; may be called again for the same run and step after a failure or a crash, and then
    /// must not repeat effects that were committed. Ends soon when `step.context.cancellation` is
    /// raised.
    func run(_ step: StepRun) throws -> StepResult

    /// Whether trying again is of no use.
    func isPermanent(_ error: any Error) -> Bool
}

extension JobHandler {
    package func isPermanent(_ error: any Error) -> Bool { error is AccessDenied }
}

/// One attempt at a step, as its handler sees it.
package struct StepRun: Sendable {
    /// Who acts: the pipeline's owner; its cancellation is raised by `cancel`, timeouts and shutdown.
    package let context: RequestContext
    package let pipeline: String
    package let runID: String
    package let stepID: String
    /// Counts from 1.
    package let attempt: Int
    /// The step's options with all values put in.
    package let options: JSONValue
    /// The branch that the run works on; nil: none.
    package let branch: RunBranch?
    /// Properties for commits that make them recognisable: the run's and the step's id.
    package let commitProperties: [String: String]
    private let writeLine: @Sendable (String) -> Void
    private let progress: any StepProgress

    init(
        context: RequestContext, pipeline: String, runID: String, stepID: String, attempt: Int,
        options: JSONValue, branch: RunBranch?, progress: any StepProgress,
        writeLine: @escaping @Sendable (String) -> Void
    ) {
        self.context = context
        self.pipeline = pipeline
        self.runID = runID
        self.stepID = stepID
        self.attempt = attempt
        self.options = options
        self.branch = branch
        self.progress = progress
        self.writeLine = writeLine
        commitProperties = ["lakehouse.run-id": runID, "lakehouse.step-id": stepID]
    }

    /// Adds a line to the attempt's log.
    package func log(_ line: String) { writeLine(line) }

    /// Does a part of the step unless an earlier attempt has finished it; how many rows it was about, now
    /// or then. For parts that commit by themselves; one that was cut off in the middle is done again.
    package func once(_ part: String, _ body: () throws -> Int64) throws -> Int64 {
        if let rows = try progress.rows(ofDone: part) { return rows }
        let rows = try body()
        try progress.markDone(part, rows: rows)
        return rows
    }
}

/// Remembers finished parts of a step.
protocol StepProgress: Sendable {
    /// The rows of a part that is done; nil when it is not.
    func rows(ofDone part: String) throws -> Int64?
    /// Remembers that a part is done.
    func markDone(_ part: String, rows: Int64) throws
}

/// What a step did.
package struct StepResult: Sendable {
    /// One sentence for people.
    package var message: String
    package var rows: Int64?
    /// Figures for programs.
    package var details: JSONObject

    package init(message: String, rows: Int64? = nil, details: JSONObject = JSONObject()) {
        self.message = message
        self.rows = rows
        self.details = details
    }
}
