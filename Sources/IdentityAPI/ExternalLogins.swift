import Authority
import Bytes
import Cryptography
package import HTTPMessages
import Identity
import JSON
package import Platform

/// Logins that a program asks for and a person gives in a browser: Trino's "external authentication".
///
///     program ─▶ any request ─▶ 401, x_redirect_server=…/initiate/HASH, x_token_server=…/ID
///     browser ─▶ GET initiate/HASH ─▶ log in, allow ─▶ the token waits under HASH
///     program ─▶ GET …/ID (long poll) ─▶ {"token": …}
///
/// The id is a secret that only the program has, the hash is its SHA-256; the server keeps nothing until a
/// person has answered. Source: Trino documentation, "OAuth 2.0 authentication";
/// `reference/trino-protocol.md`, section 7.
package final class ExternalLogins: Sendable {
    /// How long an answer waits for its program, how many wait at most, and how long a poll is held.
    static let lifetime = Duration.seconds(300)
    static let answerLimit = 1000
    static let pollPatience = Duration.seconds(5)
    /// Polls that are held at a time; a further one is answered at once.
    static let pollLimit = 16
    static let path = "/oauth2/token"

    enum Answer: Sendable {
        case token(String)
        case refused
    }

    private struct State {
        var answers: [String: (answer: Answer, until: MonotonicInstant)] = [:]
        var pollCount = 0
    }
    private let state = Monitor(State())
    private let entropy: any Entropy
    private let clock: any MonotonicClock

    package init(
        entropy: any Entropy = SystemEntropy(),
        clock: any MonotonicClock = SystemMonotonicClock()
    ) {
        self.entropy = entropy
        self.clock = clock
    }

    /// The value of `WWW-Authenticate` that invites a program to send its person to a browser; nil when the
    /// request does not say how it reached us.
    package func challenge(_ request: Request) -> String? {
        guard let host = request.fields["X-Forwarded-Host"] ?? request.fields["Host"],
            HostName.isValid(host)
        else { return nil }
        let isSecure = request.isSecure || request.fields["X-Forwarded-Proto"] == "https"
        let base = "\(isSecure ? "https" : "http")://\(host)\(ExternalLogins.path)"
        let id = entropy.hex(bytes: 32)
        return "Bearer x_redirect_server=\"\(base)/initiate/\(ExternalLogins.hash(id))\", "
            + "x_token_server=\"\(base)/\(id)\""
    }

    static func hash(_ id: String) -> String { hexText(Digest.sha256(id)) }

    /// Whether a text may be one of our hashes or ids.
    static func isWellFormed(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// Keeps a person's answer for the program; false: too many wait already.
    func answer(_ hash: String, _ answer: Answer) -> Bool {
        let now = clock.now()
        return state.notify { state in
            state.answers = state.answers.filter { $0.value.until > now }
            guard state.answers.count < ExternalLogins.answerLimit else { return false }
            state.answers[hash] = (answer, now + ExternalLogins.lifetime)
            return true
        }
    }

    /// What the person has answered; nil: nothing yet.
    func poll(_ id: String) -> Answer? {
        let hash = ExternalLogins.hash(id)
        let isHeld = state.withLock { state in
            guard state.pollCount < ExternalLogins.pollLimit else { return false }
            state.pollCount += 1
            return true
        }
        guard isHeld else { return state.withLock { $0.answers[hash]?.answer } }
        defer { state.withLock { $0.pollCount -= 1 } }
        return state.wait(until: clock.now() + ExternalLogins.pollPatience) {
            $0.answers[hash]?.answer
        }
    }

    func forget(_ id: String) {
        let hash = ExternalLogins.hash(id)
        state.withLock { state in _ = state.answers.removeValue(forKey: hash) }
    }
}

extension IdentityEndpoints {
    var externalLoginRoutes: [Route] {
        let path = ExternalLogins.path
        return [
            Route(.get, "\(path)/initiate/{hash}") { request, parameters in
                page(request) { try showExternalLogin(request, parameters) }
            },
            Route(.post, "\(path)/initiate/{hash}") { request, parameters in
                page(request) { try answerExternalLogin(request, parameters) }
            },
            Route(.get, "\(path)/{id}") { pollExternalLogin($0, $1) },
            Route(.delete, "\(path)/{id}") { _, parameters in
                externalLogins.forget(parameters.required("id"))
                return Response(status: 200)
            },
        ]
    }

    private func hash(_ parameters: PathParameters) throws -> String {
        let hash = parameters.required("hash")
        guard ExternalLogins.isWellFormed(hash) else {
            throw OAuthError.invalidRequest("this address is not complete")
        }
        return hash
    }

    private func showExternalLogin(
        _ request: Request, _ parameters: PathParameters
    ) throws -> Response {
        let hash = try hash(parameters)
        guard let known = try authenticator.authenticate(request, door: .oidc),
            let session = known.session
        else { return redirectToLogin(request) }
        return .html(
            200,
            Pages.program(
                csrf: session.csrfToken, name: known.context.principal.name,
                action: "\(ExternalLogins.path)/initiate/\(hash)"))
    }

    private func answerExternalLogin(
        _ request: Request, _ parameters: PathParameters
    ) throws -> Response {
        let hash = try hash(parameters)
        guard let form = try request.readForm(limit: 16 << 10) else {
            throw OAuthError.invalidRequest("the form cannot be read")
        }
        guard
            let known = try authenticator.authenticate(
                request, door: .oidc, csrfToken: form["csrf"]), known.session != nil
        else { return redirectToLogin(request) }
        let isAllowed = form["answer"] == "allow"
        let answer: ExternalLogins.Answer =
            isAllowed
            ? .token(
                try registry.issueToken(known.context, for: known.context.principal).accessToken)
            : .refused
        guard externalLogins.answer(hash, answer) else {
            return .html(503, Pages.note("That did not work", "Too many programs wait; try again."))
        }
        return .html(
            200,
            Pages.note(
                isAllowed ? "Connected" : "Refused",
                isAllowed
                    ? "You can close this page and go back to the program."
                    : "The program gets nothing."))
    }

    private func pollExternalLogin(_ request: Request, _ parameters: PathParameters) -> Response {
        let id = parameters.required("id")
        guard ExternalLogins.isWellFormed(id) else { return .text(404, "no such login\n") }
        let document: [(String, String)]
        switch externalLogins.poll(id) {
        case .token(let token)?: document = [("token", token)]
        case .refused?: document = [("error", "the person at the browser has refused")]
        case nil:
            // The same address again, as the program reached us.
            let scheme = request.isSecure ? "https" : "http"
            let host = request.fields["Host"].flatMap { HostName.isValid($0) ? $0 : nil }
            document = [
                ("nextUri", "\(scheme)://\(host ?? "localhost")\(ExternalLogins.path)/\(id)")
            ]
        }
        let text = JSONValue.object(document.map { ($0.0, .string($0.1)) }).encodedText()
        return .json(200, Array(text.utf8)).with("Cache-Control", "no-store")
    }
}
