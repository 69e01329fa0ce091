import Authority
import Platform
import Synchronization

/// The sessions of clients that shake hands. They hold nothing but whose they are: each belongs to the
/// account that opened it, so that an id that leaks opens nothing.
final class AgentSessions: Sendable {
    private struct Session {
        let principalID: String
        let version: String
        var lastUse: Int64
    }

    private let sessions = Mutex<[String: Session]>([:])
    private let clock: any WallClock
    private let entropy: any Entropy

    init(clock: any WallClock, entropy: any Entropy) {
        self.clock = clock
        self.entropy = entropy
    }

    /// Opens a session and gives its id.
    func open(_ principal: Principal, version: String) -> String {
        let id = entropy.hex(bytes: 24)
        let now = clock.now().microseconds
        sessions.withLock { sessions in
            if sessions.count >= Limits.sessions {
                let old = now - Limits.sessionMicroseconds
                sessions = sessions.filter { $0.value.lastUse > old }
                if sessions.count >= Limits.sessions,
                    let oldest = sessions.min(by: { $0.value.lastUse < $1.value.lastUse })
                {
                    sessions[oldest.key] = nil
                }
            }
            sessions[id] = Session(principalID: principal.id, version: version, lastUse: now)
        }
        return id
    }

    /// The version that the account's session speaks; nil for one that is unknown or another's.
    func version(_ id: String, of principal: Principal) -> String? {
        let now = clock.now().microseconds
        return sessions.withLock { sessions in
            guard let session = sessions[id], session.principalID == principal.id,
                session.lastUse > now - Limits.sessionMicroseconds
            else { return nil }
            sessions[id]?.lastUse = now
            return session.version
        }
    }

    /// Ends a session of the account; whether there was one.
    func close(_ id: String, of principal: Principal) -> Bool {
        sessions.withLock { sessions in
            guard sessions[id]?.principalID == principal.id else { return false }
            sessions[id] = nil
            return true
        }
    }
}
