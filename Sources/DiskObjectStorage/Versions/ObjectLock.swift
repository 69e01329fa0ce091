import ObjectStorage
import JSON

/// What keeps a version from being deleted. Source: Amazon S3 User Guide, "Locking objects with Object Lock".
package struct ObjectLock: Sendable, Hashable {
    /// Who may shorten a retention: nobody, or those with the right to bypass it.
    package enum Mode: String, Sendable {
        case governance = "GOVERNANCE", compliance = "COMPLIANCE"
    }

    package var mode: Mode?
    /// Until when; there if and only if there is a mode. Microseconds since 1970-01-01 UTC.
    package var untilMicroseconds: Int64?
    package var hasLegalHold: Bool

    package init(
        mode: Mode? = nil, untilMicroseconds: Int64? = nil, hasLegalHold: Bool = false
    ) {
        self.mode = mode
        self.untilMicroseconds = untilMicroseconds
        self.hasLegalHold = hasLegalHold
    }

    package var isEmpty: Bool { mode == nil && !hasLegalHold }

    /// Throws `.locked` while the version must stay.
    func checkDeletion(
        nowMicroseconds: Int64, bypassesGovernance: Bool, _ location: ObjectLocation
    ) throws(ObjectStoreError) {
        if hasLegalHold { throw Self.locked("a legal hold keeps the version: \(location)") }
        guard let mode, let until = untilMicroseconds, until > nowMicroseconds else { return }
        if mode == .governance && bypassesGovernance { return }
        throw Self.locked("a retention period keeps the version: \(location)")
    }

    /// Throws `.locked` unless a retention may be replaced by another.
    func checkChange(
        to mode: Mode?, untilMicroseconds: Int64?, nowMicroseconds: Int64, bypassesGovernance: Bool,
        _ location: ObjectLocation
    ) throws(ObjectStoreError) {
        guard let present = self.mode, let until = self.untilMicroseconds, until > nowMicroseconds
        else { return }
        let isLonger = mode != nil && (untilMicroseconds ?? 0) >= until
        switch present {
        case .governance:
            if bypassesGovernance || (isLonger && mode == .governance) { return }
        case .compliance: if isLonger && mode == .compliance { return }
        }
        throw Self.locked("the retention of the version cannot be shortened: \(location)")
    }

    private static func locked(_ message: String) -> ObjectStoreError {
        ObjectStoreError(
            code: .locked, message: message, hint: "wait for its end, or lift the legal hold")
    }

    var json: JSONValue {
        var members: [(String, JSONValue)] = []
        if let mode { members.append(("mode", .string(mode.rawValue))) }
        if let untilMicroseconds { members.append(("until", .int(untilMicroseconds))) }
        if hasLegalHold { members.append(("hold", true)) }
        return .object(members)
    }

    init(_ at: JSONCursor) throws(JSONError) {
        self.init(
            mode: try at["mode"].optionalString().flatMap { Mode(rawValue: $0) },
            untilMicroseconds: try at["until"].optionalInt64(),
            hasLegalHold: try at["hold"].optionalBool() ?? false)
    }
}

/// The retention that a bucket gives to new versions.
package struct LockDefault: Sendable, Hashable {
    package var mode: ObjectLock.Mode
    package var count: Int
    /// Years rather than days.
    package var isYears: Bool

    package init(mode: ObjectLock.Mode, count: Int, isYears: Bool) {
        self.mode = mode
        self.count = count
        self.isYears = isYears
    }

    /// The lock of a version written now. A year has 365 days, as in S3.
    func lock(nowMicroseconds: Int64) -> ObjectLock {
        let days = Int64(count) * (isYears ? 365 : 1)
        return ObjectLock(
            mode: mode, untilMicroseconds: nowMicroseconds + days * 86_400_000_000)
    }
}
