import Diagnostics

/// What CivilTime throws: a text or a zone that cannot be understood.
package struct CivilTimeError: Fault {
    package enum Code: String, Sendable {
        case invalidDate = "time.invalid_date"
        case invalidTime = "time.invalid_time"
        case invalidTimestamp = "time.invalid_timestamp"
        case invalidInterval = "time.invalid_interval"
        case unknownZone = "time.unknown_zone"
        case invalidZoneFile = "time.invalid_zone_file"
        case missingZoneFile = "time.missing_zone_file"
    }

    package let code: Code
    package let message: String
    package let hint: String?

    package init(code: Code, message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }
}
