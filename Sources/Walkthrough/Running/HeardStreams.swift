import Appliance

/// Keeps what a command says, for a walkthrough that reads it. Used by one thread.
final class HeardStreams: CommandStreams {
    private(set) var text = ""
    private(set) var complaints = ""

    func write(_ text: String) { self.text += text }
    func complain(_ text: String) { complaints += text }
    func readInput() throws -> [UInt8] { [] }
}
