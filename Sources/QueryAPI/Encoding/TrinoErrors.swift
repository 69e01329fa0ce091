import Diagnostics
import SQLFunctions

/// Texts of errors as clients see them.
enum TrinoErrors {
    /// The message with its place in front, as Trino's analyzer writes it, and the hint behind.
    static func message(of fault: QueryFault) -> String {
        var text = fault.message
        if let span = fault.span, !text.hasPrefix("line ") {
            text = "line \(span.line):\(span.column): \(text)"
        }
        if let hint = fault.hint { text += " (\(hint))" }
        return text
    }
}
