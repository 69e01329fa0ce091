import Glibc
import Synchronization

/// A moment on a clock that only goes forward; meaningless outside this process.
package struct MonotonicInstant: Sendable, Hashable, Comparable {
    package var nanoseconds: Int64
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates: an unlimited duration gives the last instant there is.
    package static func + (left: Self, right: Duration) -> Self {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.wholeNanoseconds)
        return Self(nanoseconds: overflow ? (right < .zero ? .min : .max) : sum)
    }

    package static func - (left: Self, right: Self) -> Duration {
        .nanoseconds(left.nanoseconds &- right.nanoseconds)
    }
}

/// A moment in the world's time: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
package struct WallTime: Sendable, Hashable, Comparable {
    package var microseconds: Int64
    package init(microseconds: Int64) { self.microseconds = microseconds }
    package init(seconds: Int64) {
        self.microseconds = seconds.multipliedReportingOverflow(by: 1_000_000).partialValue
    }

    /// Whole milliseconds, rounded down.
    package var milliseconds: Int64 { floorDivide(1000) }
    /// Whole seconds, rounded down.
    package var seconds: Int64 { floorDivide(1_000_000) }

    private func floorDivide(_ unit: Int64) -> Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: unit)
        return remainder < 0 ? quotient - 1 : quotient
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.microseconds < right.microseconds
    }
    package static func + (left: Self, right: Duration) -> Self {
        Self(microseconds: left.microseconds &+ right.wholeNanoseconds / 1000)
    }
    package static func - (left: Self, right: Self) -> Duration {
        .microseconds(left.microseconds &- right.microseconds)
    }
}

extension Duration {
    /// Nanoseconds, saturated to 64 bits (292 years).
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, again) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return again ? (seconds < 0 ? .min : .max) : sum
    }

    /// Seconds with a fraction, for metrics.
    package var fractionalSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}

/// Measures how long things take and when deadlines pass.
package protocol MonotonicClock: Sendable {
    func now() -> MonotonicInstant
}

/// Tells the time of day. Everything that stores or compares dates takes one through `init`.
package protocol WallClock: Sendable {
    func now() -> WallTime
}

/// The system's monotonic clock. A call costs about 20 ns.
package struct SystemMonotonicClock: MonotonicClock {
    package init() {}
    package func now() -> MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(
            nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// The system's wall clock.
package struct SystemWallClock: WallClock {
    package init() {}
    package func now() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}

/// A clock that stands still until it is set or advanced; both kinds at once.
package final class SettableClock: MonotonicClock, WallClock {
    private let monotonic: Atomic<Int64>
    private let wall: Atomic<Int64>

    /// Begins at the given moment; the monotonic side begins at one second.
    package init(at start: WallTime = WallTime(seconds: 1_767_225_600)) {
        monotonic = Atomic(1_000_000_000)
        wall = Atomic(start.microseconds)
    }

    package func now() -> MonotonicInstant {
        MonotonicInstant(nanoseconds: monotonic.load(ordering: .acquiring))
    }
    package func now() -> WallTime { WallTime(microseconds: wall.load(ordering: .acquiring)) }

    /// Moves both sides forward.
    package func advance(by duration: Duration) {
        monotonic.wrappingAdd(duration.wholeNanoseconds, ordering: .releasing)
        wall.wrappingAdd(duration.wholeNanoseconds / 1000, ordering: .releasing)
    }

    /// Sets the wall side only, as when somebody corrects the time of day.
    package func set(_ time: WallTime) { wall.store(time.microseconds, ordering: .releasing) }
}

/// A wall clock that a file moves, for `--clock FILE`: the file holds whole seconds since 1970, and the
/// clock stands there until the file changes. An absent or malformed file means the system's time.
package final class FileWallClock: WallClock {
    private struct Seen {
        var modified: Int64 = .min
        var size: Int64 = -1
        var inode: UInt64 = 0
        var time: WallTime?
    }
    private let path: String
    private let seen = Mutex(Seen())
    private let system = SystemWallClock()

    package init(path: String) { self.path = path }

    package func now() -> WallTime {
        var status = stat()
        guard stat(path, &status) == 0 else { return system.now() }
        let modified =
            Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        // File times move in steps: a file that was just written may be written again within one.
        let isSettled = system.now().microseconds &* 1000 &- modified > 50_000_000
        let known = seen.withLock {
            $0.modified == modified && $0.size == status.st_size && $0.inode == status.st_ino
                && isSettled
                ? $0 : nil
        }
        if let known { return known.time ?? system.now() }
        let text = (try? LocalFileSystem().readAll(path, limit: 64)).map {
            String(decoding: $0, as: UTF8.self)
        }
        let digits = text?.split(whereSeparator: \.isWhitespace).first
        let time = digits.flatMap { Int64($0) }.flatMap {
            abs($0) < 1_000_000_000_000 ? WallTime(seconds: $0) : nil
        }
        seen.withLock {
            $0 = Seen(
                modified: isSettled ? modified : .min, size: Int64(status.st_size),
                inode: UInt64(status.st_ino), time: time)
        }
        return time ?? system.now()
    }
}
