import Authority
import Cryptography
import DiskObjectStorage
import HTTPClient
import HTTPMessages
import ObjectStorage
import Platform
import SQLite
import Supervision
import Synchronization
import Telemetry

/// What the object store has done to it in the background: notices to webhooks as soon as they are due,
/// the lifecycle of buckets every hour, and the scrub, which reads everything slowly, over and over.
final class StorageKeeper: Service {
    let name = "storage"
    private let store: DiskObjectStore
    private let problems: Counter
    private let ending = Latch<Bool>()
    private let cancellation = Cancellation()
    private let sending = Mutex(0)
    private let log = Logger()

    private static let interval = Duration.seconds(60)
    /// Between two walks of the lifecycle: its unit is a day.
    private static let minutesPerLifecycle = 60
    /// Of the scrub in a minute: about 90 GB a day.
    private static let scrubBytesPerMinute: Int64 = 64 << 20
    /// How long a receiver may take, and how many may be waited for at once.
    private static let answerLimit = Duration.seconds(10)
    private static let openSends = 8
    private static let region = "us-east-1"

    init(_ appliance: Appliance) {
        store = appliance.objects
        problems = appliance.metrics.counter(
            "lakehouse_storage_scrub_problems_total",
            help: "Damage that the scrub of the object store has found.")
    }

    func start() throws {
        _ = try Thread(name: "storage") { [self] in
            var scrub = Scrub()
            var known: Set<String> = []
            var minute = 0
            while ending.wait(until: SystemMonotonicClock().now() + Self.interval) == nil {
                minute += 1
                if minute % Self.minutesPerLifecycle == 1 {
                    attempt("run the lifecycle") { _ = try store.runLifecycle(context) }
                }
                attempt("scrub the object store") {
                    let found = try scrub.step(
                        store, context, limitBytes: Self.scrubBytesPerMinute)
                    for problem in found where known.insert(problem.subject).inserted {
                        report(problem)
                    }
                }
            }
        }
        _ = try Thread(name: "webhooks") { [self] in
            while ending.current == nil {
                let changes = store.webhookChanges.current
                let events = store.database.signal.current
                var isNeeded = false
                attempt("tell webhooks") {
                    isNeeded = try store.hasWebhooks()
                    if isNeeded { try deliver() }
                }
                if isNeeded {
                    // A notice that failed is due again after a second or more.
                    store.database.signal.wait(past: events, timeoutNanoseconds: 1_000_000_000)
                } else {
                    store.webhookChanges.wait(past: changes, timeoutNanoseconds: 60_000_000_000)
                }
            }
        }
    }

    func stop() {
        ending.open(true)
        cancellation.cancel(.shutdown)
        store.database.signal.raise()
        store.webhookChanges.raise()
    }

    private var context: RequestContext {
        var context = Appliance.systemContext
        context.cancellation = cancellation
        return context
    }

    private func report(_ problem: StorageProblem) {
        problems.increment()
        log.error(
            "storage.damaged", "Stored bytes are damaged; restore the objects from a backup.",
            [
                "subject": .string(problem.subject), "problem": .string(problem.message),
                "objects": .string(problem.objects.map(\.description).joined(separator: " ")),
            ])
    }

    // MARK: Webhooks

    private func deliver() throws {
        while try store.queueDeliveries(region: Self.region) > 0 {}
        for delivery in try store.dueDeliveries(limit: 64) where ending.current == nil {
            try store.settle(delivery, isDelivered: send(delivery))
        }
    }

    /// Whether the receiver took it. One that does not answer in time is left to a thread of its own.
    private func send(_ delivery: Delivery) -> Bool {
        let isFree = sending.withLock { open in
            if open >= Self.openSends { return false }
            open += 1
            return true
        }
        guard isFree else { return false }
        let answered = Latch<Bool>()
        let begun: Void? = try? { [self] in
            _ = try Thread(name: "webhook") { [self] in
                answered.open(Self.post(delivery))
                sending.withLock { $0 -= 1 }
            }
        }()
        if begun == nil {
            sending.withLock { $0 -= 1 }
            return false
        }
        return answered.wait(until: SystemMonotonicClock().now() + Self.answerLimit) ?? false
    }

    private static func post(_ delivery: Delivery) -> Bool {
        guard let target = WebhookTarget(delivery.url) else { return false }
        do {
            let tls = target.isSecure ? try TLSContext(trustingPEM: systemAuthorities()) : nil
            let connection = HTTPConnection(
                host: target.host, port: target.port, tls: tls, bodyLimit: 1 << 20)
            defer { connection.close() }
            let answer = try connection.send(
                .post, target.path, fields: Fields([("Content-Type", "application/json")]),
                body: Array(delivery.body.utf8))
            return (200..<300).contains(answer.status)
        } catch {
            return false
        }
    }

    /// The authorities that this machine trusts.
    private static func systemAuthorities() throws -> String {
        let files = LocalFileSystem()
        for path in ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"] {
            if try files.exists(path) {
                return String(decoding: try files.readAll(path), as: UTF8.self)
            }
        }
        return ""
    }

    private func attempt(_ what: String, _ body: () throws -> Void) {
        do { try body() } catch {
            log.error(
                "storage.upkeep_failed", "A piece of upkeep failed; it is tried again.",
                ["what": .string(what), "error": LogValue(error)])
        }
    }
}

/// Where a webhook listens.
struct WebhookTarget {
    let isSecure: Bool
    let host: String
    let port: Int
    let path: String

    init?(_ url: String) {
        isSecure = url.hasPrefix("https://")
        guard isSecure || url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst(isSecure ? 8 : 7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let tail = rest.dropFirst(authority.count)
        guard let split = HostName.split(String(authority)), !split.host.isEmpty else { return nil }
        host = split.host
        guard let port = split.port.map({ Int($0) }) ?? (isSecure ? 443 : 80),
            (1...65535).contains(port)
        else { return nil }
        self.port = port
        path = tail.hasPrefix("/") ? String(tail) : "/" + tail
    }
}
