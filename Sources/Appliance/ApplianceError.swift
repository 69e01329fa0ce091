import Diagnostics

/// What can go wrong around the domains: arguments, configuration, the data directory.
package struct ApplianceError: Fault {
    package enum Code: String, Sendable {
        case usage = "cli.usage"
        case unknownSetting = "config.unknown_setting"
        case invalidSetting = "config.invalid_setting"
        case unreadableConfiguration = "config.unreadable"
        case directoryInUse = "directory.in_use"
        case directoryNewer = "directory.format_newer"
        case directoryDamaged = "directory.damaged"
        /// Nothing was ever made at the place that a command was given.
        case noLakehouse = "directory.no_lakehouse"
        case noServer = "control.no_server"
        case controlBroken = "control.broken"
        case notFound = "cli.not_found"
        /// What is asked for again is there, and is something else.
        case contradiction = "cli.contradiction"
        /// Another server did not let us in.
        case refused = "cli.refused"
        case processorUnsupported = "platform.processor_unsupported"
        case failed = "cli.failed"
    }
    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, hint: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }
}
