/// Bounds of this module.
package enum TelemetryLimits {
    /// Distinct label values a metric family; more are counted under `other`.
    package static let labelSets = 256
    /// Bytes of one metadata value in a log line; longer ones are cut.
    package static let logValueBytes = 4096
}
