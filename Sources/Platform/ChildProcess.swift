import Glibc

/// A program that this process has started.
package final class ChildProcess: Sendable {
    package let identifier: Int32

    /// Starts `path` with `arguments` (without the name); its output goes to the file `output`, its
    /// environment is ours. Throws when it cannot be started.
    package init(
        _ path: String, _ arguments: [String], output: String = "/dev/null"
    ) throws(PlatformError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(
                &actions, descriptor, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        identifier = try Self.spawn(path, arguments, &actions, POSIX_SPAWN_SETSIGMASK, [])
    }

    /// Starts `path` with our own input and output, in a process group of its own, so that the keys
    /// which end a program at the terminal reach us alone; `variables` are set in its environment.
    package init(
        inPlace path: String, _ arguments: [String],
        variables: [(name: String, value: String)] = []
    ) throws(PlatformError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        identifier = try Self.spawn(
            path, arguments, &actions, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP, variables)
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ actions: inout posix_spawn_file_actions_t,
        _ flags: Int32, _ variables: [(name: String, value: String)]
    ) throws(PlatformError) -> Int32 {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that are blocked here for our own watcher reach the child.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var words = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        let names = variables.map { $0.name + "=" }
        var inherited: [String] = []
        var place = environ
        while let entry = place.pointee {
            inherited.append(String(cString: entry))
            place += 1
        }
        inherited.removeAll { entry in names.contains { entry.hasPrefix($0) } }
        var environment = (inherited + variables.map { "\($0.name)=\($0.value)" }).map {
            strdup($0)
        }
        environment.append(nil)
        defer { for word in words + environment { free(word) } }
        var child = pid_t()
        let status = posix_spawn(&child, path, &actions, &attributes, words, environment)
        guard status == 0 else { throw PlatformError(errno: status, "start the program", path) }
        return child
    }

    /// Sends it a signal; for a process that has not been waited for.
    package func send(_ signal: Signal) { _ = Glibc.kill(identifier, signal.rawValue) }

    /// Ends it at once, as a power cut would, and waits until it is gone.
    package func kill() {
        _ = Glibc.kill(identifier, SIGKILL)
        _ = wait()
    }

    /// Asks it to end, and waits until it has.
    @discardableResult
    package func terminate() -> Int32 {
        _ = Glibc.kill(identifier, SIGTERM)
        return wait()
    }

    /// Waits for its end: the exit code, or 128 and the signal's number.
    package func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }
}
