import JSON
import Platform
import Synchronization
import Telemetry

/// An object that came and that no pipeline took.
struct LeftObject: Sendable, Hashable {
    let tenant: String
    let bucket: String
    let key: String
}

/// Of which files the log tells that no pipeline takes: the first of a minute, and how many more there were.
///
/// Somebody who copies a hundred thousand files to the wrong place needs to hear it, not as often.
struct UnclaimedNotes: Sendable {
    private var began: MonotonicInstant?
    private var told = 0
    private var untold = 0

    /// Whether one more is told of; otherwise it is counted.
    mutating func admits(at now: MonotonicInstant) -> Bool {
        if began == nil { began = now }
        if told < JobLimits.unclaimedNotes {
            told += 1
            return true
        }
        untold += 1
        return false
    }

    /// How many were counted only, once their minute is over; 0 before.
    mutating func takeUntold(at now: MonotonicInstant) -> Int {
        guard let began, now - began >= JobLimits.unclaimedPause else { return 0 }
        defer { self = UnclaimedNotes() }
        return untold
    }
}

extension JobScheduler {
    /// Tells of an object when no pipeline takes it. `claims` are those of the tenants that were asked for.
    func tellOfUnclaimed(_ object: LeftObject, _ claims: inout [String: ObjectClaims]) {
        let known = claims[object.tenant] ?? objectClaims(tenant: object.tenant)
        claims[object.tenant] = known
        guard let found = known.unclaimed(object.bucket, object.key),
            unclaimedNotes.withLock({ $0.admits(at: monotonic.now()) })
        else { return }
        log.warning(
            "jobs.object_unclaimed",
            "No pipeline takes a file that was put into a bucket they watch.",
            [
                "object": .string(found.uri), "expected": .string(found.expected),
                "remedy": .string(found.remedy),
            ])
    }

    /// Says how many more there were.
    func tellOfUntold() {
        let count = unclaimedNotes.withLock { $0.takeUntold(at: monotonic.now()) }
        guard count > 0 else { return }
        log.warning(
            "jobs.objects_unclaimed",
            "More files were put into watched buckets that no pipeline takes.",
            [
                "objects": .int(Int64(count)),
                "remedy": .string(
                    "lakehouse pipeline list and the console's page of pipelines name some of "
                        + "them"),
            ])
    }
}
