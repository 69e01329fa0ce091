import HTTPClient
import Platform

extension BankingFraud {
    // MARK: 17

    /// What the show took, and the page on which all of it can be read again.
    func receipt() throws {
        show.step(17)
        show.result("\(try publicURL())/walkthrough")
        // The generated bank itself is held in memory, about 450 bytes a booking, and the windows over
        // the features sort all rows at once; a larger bank takes that room.
        let generated = max(0, options.rows - 100_000) * 1024
        let limit = (1 << 30) + generated
        if show.breaks("receipt.memory") {
            // Written, not only reserved: the kernel counts pages that were touched.
            let block = SIMD64<Int64>(repeating: 1)
            let hoard = [SIMD64<Int64>](
                repeating: block, count: limit / MemoryLayout<SIMD64<Int64>>.size)
            show.result("\(hoard.count) blocks of 512 bytes are held")
        }
        try show.claim("receipt.memory") {
            let peak = ProcessUsage.current().peakResidentBytes
            return (peak < limit, "peak \(peak >> 20) MiB, wanted below \(limit >> 20) MiB")
        }
        show.keepTranscript(isRunning: true)
        if show.breaks("receipt.page") {
            // What the page is made of goes.
            _ = try LocalFileSystem().removeIfPresent(directory + "/lake/walkthrough.json")
        }
        try show.claim("receipt.page") {
            let page = try connected().get("/walkthrough")
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
