import Glibc
package import Platform

extension ChildProcess {
    /// Waits for its end and leaves it to be waited for: until `wait`, its number belongs to it and to
    /// nobody else, so that a signal cannot reach a stranger.
    package func waitForEnd() {
        var about = siginfo_t()
        while waitid(P_PID, id_t(identifier), &about, WEXITED | WNOWAIT) < 0, errno == EINTR {}
    }
}
