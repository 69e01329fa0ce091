import ConsoleAPI
import Dashboards
import HTTPMessages
import Synchronization
import Testing

@Suite struct DashboardEventsTests {
    private func open(_ console: Console, _ target: String = "/dashboards/sales/events") throws
        -> any ResponseStream
    {
        let response = console.send(.get, target)
        #expect(response.fields["Content-Type"] == "text/event-stream")
        guard case .chunked(let stream) = response.body else {
            Issue.record("no stream")
            throw CancellationError()
        }
        return stream
    }

    private func next(_ stream: any ResponseStream) throws -> String? {
        try stream.next().map { String(decoding: $0, as: UTF8.self) }
    }

    private final class Flag: Sendable {
        private let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .relaxed) }
        func raise() { count.add(1, ordering: .relaxed) }
    }

    @Test("A commit of a watched table makes one event, another table's none")
    func moves() throws {
        let console = try Console()
        let stream = try open(console)
        #expect(try next(stream) == "retry: 2000\n\n")
        #expect(try next(stream) == "")
        let woken = Flag()
        stream.whenReady { woken.raise() }
        #expect(woken.value == 0)

        console.watch.commit(watched: false)
        #expect(woken.value == 1)
        #expect(try next(stream) == "")

        console.watch.commit(watched: true)
        console.watch.commit(watched: true)
        stream.whenReady { woken.raise() }
        #expect(woken.value == 2)
        let event = try #require(try next(stream))
        #expect(event.hasPrefix("id: ") && event.contains("\nevent: tables\ndata: "))
        #expect(try next(stream) == "")
    }

    @Test("A commit between two calls is not lost")
    func race() throws {
        let console = try Console()
        let stream = try open(console)
        _ = try next(stream)
        console.watch.commit(watched: true)
        let woken = Flag()
        stream.whenReady { woken.raise() }
        #expect(woken.value == 1)
        #expect(try next(stream)?.contains("event: tables") == true)
    }

    @Test("A page that shows an older state is told at once")
    func reconnect() throws {
        let console = try Console()
        let stream = try open(console, "/dashboards/sales/events?since=0000000000000000")
        #expect(try next(stream)?.contains("event: tables") == true)
    }

    @Test("The page and the events agree on the state")
    func agree() throws {
        let console = try Console()
        let page = text(console.send(.get, "/dashboards/sales"))
        let state = try #require(page.split(separator: "data-state=\"").last?.prefix(16))
        let stream = try open(console, "/dashboards/sales/events?since=\(state)")
        #expect(try next(stream) == "retry: 2000\n\n")
    }

    @Test("Closing wakes and forgets")
    func close() throws {
        let console = try Console()
        let stream = try open(console)
        _ = try next(stream)
        #expect(console.watch.listenerCount == 1)
        let woken = Flag()
        stream.whenReady { woken.raise() }
        stream.close()
        #expect(woken.value == 1)
        #expect(try next(stream) == nil)
        #expect(console.watch.listenerCount == 0)
    }

    @Test("A tile is the inside only, and a broken one shows its error")
    func tiles() throws {
        let console = try Console()
        let tile = text(console.send(.get, "/dashboards/sales/tiles/names"))
        #expect(tile.contains("<svg") && !tile.contains("<html"))
        let broken = text(console.send(.get, "/dashboards/sales/tiles/broken"))
        #expect(broken.contains("column not found: custmer"))
    }
}
