import JSON
import Platform

/// What the parent of `serve --respawn` tells its child, in the environment.
struct RespawnNote: Equatable {
    static let variable = "LAKEHOUSE_RESPAWN"

    /// The parent's process id.
    var parent: Int32
    var restarts: Int
    /// How the child before ended, and when; nil for the first.
    var ending: String?
    var endedMicroseconds: Int64?

    var text: String {
        var members: [(String, JSONValue)] = [
            ("parent", .int(Int64(parent))), ("restarts", .int(Int64(restarts))),
        ]
        if let ending { members.append(("ending", .string(ending))) }
        if let endedMicroseconds { members.append(("ended", .int(endedMicroseconds))) }
        return JSONValue.object(JSONObject(members)).encodedText()
    }

    init(parent: Int32, restarts: Int, ending: String? = nil, endedMicroseconds: Int64? = nil) {
        self.parent = parent
        self.restarts = restarts
        self.ending = ending
        self.endedMicroseconds = endedMicroseconds
    }

    /// nil for a text that no parent wrote.
    init?(_ text: String) {
        guard let value = try? JSONValue(parsing: Array(text.utf8)).cursor,
            let parent = try? Int32(exactly: value["parent"].int64()),
            let restarts = try? Int(exactly: value["restarts"].int64())
        else { return nil }
        self.init(
            parent: parent, restarts: restarts, ending: try? value["ending"].string(),
            endedMicroseconds: try? value["ended"].int64())
    }

    /// Of this process; nil when nothing watches over it.
    static var ours: RespawnNote? {
        Environment.value(variable).flatMap { RespawnNote($0) }
    }
}
