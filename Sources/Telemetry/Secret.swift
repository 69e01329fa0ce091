/// A text that must not be seen: passwords, keys, tokens. Printing, logging or dumping it shows
/// `<redacted>`; only `reveal` gives the text.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let text: String
    package init(_ text: String) { self.text = text }
    package func reveal() -> String { text }
    package var isEmpty: Bool { text.isEmpty }
    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
