package import JSON

/// A pipeline as declared.
package struct PipelineDocument: Sendable {
    package var name: String
    package var description: String
    /// The account that runs act as; nil: who declared the pipeline.
    package var runAs: String?
    package var isEnabled: Bool
    package var schedule: CronSchedule?
    /// Whether a time that passed while nothing ran is made up for, once.
    package var catchesUp: Bool
    package var triggers: [PipelineTrigger]
    package var parameters: [PipelineParameter]
    package var steps: [StepDocument]
    /// Runs at the same time; others wait.
    package var concurrency: Int
    /// The warehouses that each run branches to work there, empty for all; nil: it works on main.
    package var branch: [String]?
    /// The YAML as given.
    package var text: String
    /// What messages call the document.
    package var source: String
    /// Contents of the files that steps name, by path.
    package var files: [String: String]
}

/// What starts a pipeline besides its schedule.
package enum PipelineTrigger: Sendable, Hashable {
    /// An object was written whose key begins with the prefix and matches the pattern.
    case objectCreated(bucket: String, prefix: String, pattern: GlobPattern?)
    /// Such an object was removed.
    case objectRemoved(bucket: String, prefix: String, pattern: GlobPattern?)
    /// A run of another pipeline succeeded.
    case after(String)
}

/// A value that a run gets at its start; `${name}` in the steps' options.
package struct PipelineParameter: Sendable, Hashable {
    package var name: String
    /// nil: every run has to give it.
    package var defaultValue: String?
}

/// A step as declared.
package struct StepDocument: Sendable {
    package var id: String
    package var kind: String
    /// Steps that have to succeed first.
    package var needs: [String]
    /// Tries after the first.
    package var retries: Int
    /// Waiting before the first retry; it doubles with each.
    package var backoff: Duration
    package var timeout: Duration?
    /// What the kind's handler wants, before parameters are put in.
    package var options: JSONValue
}
