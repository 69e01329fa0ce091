package import Authority

/// What the home page tells of the appliance.
package struct ApplianceFacts: Sendable, Hashable {
    /// One service of the supervisor's list as the page of the appliance shows it.
    package struct ServiceRow: Sendable, Hashable {
        package var name: String
        /// `ready`, `starting`, `failed`, `off`.
        package var state: String
        /// Where it listens, or what it does.
        package var note: String

        package init(name: String, state: String, note: String = "") {
            self.name = name
            self.state = state
            self.note = note
        }
    }

    /// A client and what to type for it.
    package struct ConnectHint: Sendable, Hashable {
        package var tool: String
        package var command: String

        package init(tool: String, command: String) {
            self.tool = tool
            self.command = command
        }
    }

    /// An end of the server that nobody asked for, after which it was started again.
    package struct Restart: Sendable, Hashable {
        /// `signal 9 (killed)`.
        package var ending: String
        package var atMicroseconds: Int64
        /// How often since somebody started it.
        package var count: Int

        package init(ending: String, atMicroseconds: Int64, count: Int) {
            self.ending = ending
            self.atMicroseconds = atMicroseconds
            self.count = count
        }
    }

    package var version: String
    package var startedMicroseconds: Int64
    /// nil when this is the first server that was started.
    package var restart: Restart?
    /// Whether the visitor may read what a walkthrough in this directory has said.
    package var hasWalkthrough: Bool
    package var services: [ServiceRow]
    package var objectCount: Int64?
    package var storedBytes: Int64?
    package var connectHints: [ConnectHint]

    package init(
        version: String, startedMicroseconds: Int64, services: [ServiceRow],
        objectCount: Int64? = nil, storedBytes: Int64? = nil, connectHints: [ConnectHint] = [],
        restart: Restart? = nil, hasWalkthrough: Bool = false
    ) {
        self.version = version
        self.startedMicroseconds = startedMicroseconds
        self.services = services
        self.objectCount = objectCount
        self.storedBytes = storedBytes
        self.connectHints = connectHints
        self.restart = restart
        self.hasWalkthrough = hasWalkthrough
    }
}

/// Tells what runs; what a visitor may not see is left nil or out.
package protocol ApplianceBrowser: Sendable {
    func facts(_ context: RequestContext) -> ApplianceFacts
}

/// Files below `web/`, from the binary or from a directory.
package protocol AssetSource: Sendable {
    /// The bytes of a file such as `console.css`; nil when there is none. Names never hold `..`.
    func bytes(_ name: String) -> [UInt8]?
}
