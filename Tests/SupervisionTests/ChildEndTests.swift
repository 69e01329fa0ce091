import Platform
import Supervision
import Testing

@Suite struct ChildEndTests {
    @Test func anEndIsSeenBeforeTheChildIsReaped() throws {
        let child = try ChildProcess("/bin/sh", ["-c", "exit 7"])
        child.waitForEnd()
        // It keeps its number until it is waited for.
        let status = try LocalFileSystem().readAll("/proc/\(child.identifier)/stat", limit: 1 << 12)
        #expect(String(decoding: status, as: UTF8.self).contains(") Z "))
        child.waitForEnd()
        #expect(child.wait() == 7)
        // Nothing to wait for: it returns.
        child.waitForEnd()
    }
}
