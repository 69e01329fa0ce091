import ConsoleAPI
import HTTPMessages
import Testing

@Suite struct StorageTests {
    private func content(_ response: Response) throws -> [UInt8] {
        guard case .stream(_, let stream) = response.body else { return [] }
        var bytes: [UInt8] = []
        while let piece = try stream.next() { bytes += piece }
        return bytes
    }

    @Test("A download is never a page of ours")
    func download() throws {
        let response = try Console().send(.get, "/storage/landing/download?key=a%2Fevil.html")
        #expect(response.status == 200)
        #expect(response.fields["Content-Type"] == "application/octet-stream")
        #expect(
            response.fields["Content-Disposition"] == "attachment; filename*=UTF-8''evil.html")
        #expect(response.fields["Content-Security-Policy"]?.hasPrefix("sandbox") == true)
        #expect(try content(response) == Array(hostile.utf8))
    }

    @Test(
        "Only pictures are shown as such",
        arguments: [("a/cat.png", 200), ("a/evil.html", 404), ("a/note.txt", 404)])
    func picture(key: String, status: Int) throws {
        let response = try Console().send(
            .get, "/storage/landing/image?key=\(PercentCoding.encode(key))")
        #expect(response.status == status)
        if status == 200 { #expect(response.fields["Content-Type"] == "image/png") }
    }

    @Test("Who may not read gets neither page nor content")
    func denied() throws {
        let console = try Console()
        for verb in ["object", "download", "image"] {
            let answer = console.send(.get, "/storage/landing/\(verb)?key=a%2Fb.csv", user: "eve")
            #expect(answer.status == 403, "\(verb)")
        }
    }

    @Test("An object without a name is refused")
    func nameless() throws {
        let console = try Console()
        #expect(console.send(.get, "/storage/landing/object").status == 404)
        #expect(console.send(.get, "/storage/landing/download?key=").status == 404)
    }

    @Test("A deletion wants the session's token and names its version")
    func deletion() throws {
        let console = try Console()
        let path = "/storage/landing/delete"
        #expect(console.send(.post, path, body: "key=a%2Fb.csv").status == 403)
        #expect(console.storage.calls.isEmpty)
        let done = console.send(.post, path, body: "csrf=right&key=a%2Fb.csv&version=v1")
        #expect(done.status == 303)
        #expect(done.fields["Location"] == "/storage/landing?prefix=a%2F")
        #expect(console.storage.calls == ["delete a/b.csv v1"])
    }

    @Test("A link is made for one of the times on offer")
    func share() throws {
        let console = try Console()
        let path = "/storage/landing/share"
        let made = console.send(.post, path, body: "csrf=right&key=a%2Fb.csv&seconds=3600")
        #expect(made.status == 200)
        #expect(text(made).contains("http://localhost:9000/landing/x?for=3600&amp;"))
        let wrong = console.send(.post, path, body: "csrf=right&key=a%2Fb.csv&seconds=99999999")
        #expect(wrong.status == 404)
    }

    @Test("What is uploaded is there, and a stranger uploads nothing")
    func upload() throws {
        let console = try Console()
        let target = "/storage/landing/upload?key=new%2F%C3%A4.txt"
        #expect(console.send(.put, target, user: nil, body: "x").status == 401)
        let done = console.send(.put, target, [("Content-Type", "text/plain")], body: "hello")
        #expect(done.status == 201)
        #expect(text(done).contains("\"sizeBytes\":5"))
        let read = console.send(.get, "/storage/landing/download?key=new%2F%C3%A4.txt")
        #expect(try content(read) == Array("hello".utf8))
        #expect(console.send(.put, "/storage/landing/upload", body: "x").status == 400)
    }
}
