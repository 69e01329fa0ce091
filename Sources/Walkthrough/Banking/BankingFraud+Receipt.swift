import HTTPClient
import Platform

extension BankingFraud {
    // MARK: 17

    /// What the show took, and the page on which all of it can be read again.
    func receipt() throws {
        show.step(17)
        show.result("\(try publicURL())/walkthrough")
        try show.claim("receipt.memory") {
            let peak = ProcessUsage.current().peakResidentBytes
            // The generated bank itself is held in memory, about 450 bytes a booking, and the windows over
            // the features sort all rows at once; a larger bank takes that room.
            let generated = Int64(max(0, options.rows - 100_000)) * 1024
            let limit: Int64 = show.breaks("receipt.memory") ? 1 : (1 << 30) + generated
            return (peak < limit, "peak \(peak >> 20) MiB")
        }
        show.keepTranscript(isRunning: true)
        try show.claim("receipt.page") {
            let reader = show.breaks("receipt.page") ? try persona("analyst") : try connected()
            let page = try reader.get("/walkthrough")
            let missing = show.outcomes.map(\.claim.id).filter {
                !page.text.contains("<code>\($0)</code>")
            }
            let other = try persona("analyst").get("/walkthrough").status
            return (
                page.status == 200 && missing.isEmpty && other == 403,
                "the page answered \(page.status) and lacks \(missing.count) claims; an analyst got \(other)"
            )
        }
        show.endStep()
    }
}
