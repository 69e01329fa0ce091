import Foundation
import S3API
import Testing

@Suite struct SupportTableTests {
    /// S3.md names every operation, in the order of the list, and no other.
    @Test func thePageNamesWhatIsOffered() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("S3.md"), encoding: .utf8)
        let named = text.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst()
            .compactMap { line in
                line.split(separator: "|").first?.trimmingCharacters(in: .whitespaces)
            }
        #expect(named == s3OperationNames)
        #expect(Set(named).count == named.count)
    }
}
