package import Authority

/// A pipeline in a list.
package struct PipelineSummary: Sendable, Hashable {
    package var name: String
    package var title: String
    package var description: String
    /// What starts it, in words: `every day at 02:00 Europe/Berlin`, `new objects in s3://inbox/`.
    package var triggers: [String]
    package var isPaused: Bool
    package var nextRunMicroseconds: Int64?
    package var lastRun: PipelineRun?
    package var steps: [Step]

    /// A step as the pipeline's file says it.
    package struct Step: Sendable, Hashable {
        package var name: String
        package var kind: String
        package var needs: [String]

        package init(name: String, kind: String, needs: [String] = []) {
            self.name = name
            self.kind = kind
            self.needs = needs
        }
    }

    package init(
        name: String, title: String, description: String = "", triggers: [String] = [],
        isPaused: Bool = false, nextRunMicroseconds: Int64? = nil, lastRun: PipelineRun? = nil,
        steps: [Step] = []
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.triggers = triggers
        self.isPaused = isPaused
        self.nextRunMicroseconds = nextRunMicroseconds
        self.lastRun = lastRun
        self.steps = steps
    }
}

/// One run of a pipeline.
package struct PipelineRun: Sendable, Hashable {
    package var id: String
    package var pipeline: String
    /// `waiting`, `running`, `succeeded`, `failed`, `cancelled`.
    package var state: String
    /// What started it: `schedule`, `event`, `ada`.
    package var cause: String
    package var createdMicroseconds: Int64
    package var endedMicroseconds: Int64?

    package init(
        id: String, pipeline: String, state: String, cause: String, createdMicroseconds: Int64,
        endedMicroseconds: Int64? = nil
    ) {
        self.id = id
        self.pipeline = pipeline
        self.state = state
        self.cause = cause
        self.createdMicroseconds = createdMicroseconds
        self.endedMicroseconds = endedMicroseconds
    }
}

/// One attempt of a step in a run, with the end of its log.
package struct PipelineAttempt: Sendable, Hashable {
    package var step: String
    package var number: Int
    package var state: String
    package var startedMicroseconds: Int64?
    package var endedMicroseconds: Int64?
    package var error: String?
    package var log: String

    package init(
        step: String, number: Int, state: String, startedMicroseconds: Int64? = nil,
        endedMicroseconds: Int64? = nil, error: String? = nil, log: String = ""
    ) {
        self.step = step
        self.number = number
        self.state = state
        self.startedMicroseconds = startedMicroseconds
        self.endedMicroseconds = endedMicroseconds
        self.error = error
        self.log = log
    }
}

/// A file in a bucket that pipelines watch, under a key that none of them takes.
package struct WaitingFile: Sendable, Hashable {
    package var bucket: String
    package var key: String
    /// What keys look like that are taken.
    package var expected: String
    /// What to do.
    package var remedy: String

    package init(bucket: String, key: String, expected: String, remedy: String) {
        self.bucket = bucket
        self.key = key
        self.expected = expected
        self.remedy = remedy
    }
}

/// Some of the files that no pipeline takes.
package struct WaitingFiles: Sendable, Hashable {
    package var files: [WaitingFile]
    /// Whether there may be more.
    package var isCut: Bool

    /// Files, and whether they are all.
    package init(files: [WaitingFile], isCut: Bool) {
        self.files = files
        self.isCut = isCut
    }
}

/// The pipelines and what they did. Verbs ask the authorizer and throw its faults.
package protocol PipelineBrowser: Sendable {
    func pipelines(_ context: RequestContext) throws -> [PipelineSummary]
    /// nil when there is none of that name.
    func pipeline(_ context: RequestContext, name: String) throws -> PipelineSummary?
    /// Newest first; of one pipeline, or of all.
    func runs(
        _ context: RequestContext, pipeline: String?, limit: Int
    ) throws -> [PipelineRun]
    /// A run with its attempts in the order in which they began; nil when there is none.
    func run(
        _ context: RequestContext, id: String
    ) throws -> (run: PipelineRun, attempts: [PipelineAttempt])?
    /// Starts a run; gives its id.
    func start(_ context: RequestContext, pipeline: String) throws -> String
    /// Files that wait for a pipeline and will wait for ever, of those that the visitor may list.
    func waitingFiles(_ context: RequestContext) -> WaitingFiles
}
