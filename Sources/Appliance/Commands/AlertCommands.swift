import JSON
import Operations

/// `lakehouse alert …`: what is raised, and what was.
enum AlertCommands {
    static let all = [list, history]

    private static let headings = ["alert", "state", "since", "value", "threshold", "summary"]

    private static let list = Command(
        "alert list", "shows the five alerts; the exit code is 1 when one is raised",
        options: [Listing.json], example: "lakehouse alert list --json",
        place: .appliance { appliance, parsed, streams in
            let alerts = try appliance.watchman.alerts()
            Listing.print(
                headings,
                alerts.map { alert in
                    [
                        .string(alert.rule.rawValue), .string(alert.state.rawValue),
                        Listing.time(alert.sinceMicroseconds), number(alert.value),
                        number(alert.threshold), .string(alert.summary),
                    ]
                }, asJSON: parsed.has("json"), streams)
            return alerts.contains { $0.state == .firing } ? 1 : 0
        })

    private static let history = Command(
        "alert history", "shows when alerts were raised and ended, newest first",
        options: [
            CommandOption("limit", value: "N", "lines at the most (100)"), Listing.json,
        ], example: "lakehouse alert history --limit 20",
        place: .appliance { appliance, parsed, streams in
            let limit = try parsed.integer("limit") ?? 100
            guard limit >= 1 else {
                throw ApplianceError(.usage, "--limit wants a number above 0: \(limit)")
            }
            Listing.print(
                headings,
                try appliance.watchman.events(limit: limit).map { event in
                    [
                        .string(event.rule), .string(event.state),
                        Listing.time(event.atMicroseconds), number(event.value),
                        number(event.threshold), .string(event.summary),
                    ]
                }, asJSON: parsed.has("json"), streams)
            return 0
        })

    /// A figure with one digit behind the point.
    private static func number(_ value: Double) -> JSONValue {
        .double((value * 10).rounded() / 10)
    }
}
