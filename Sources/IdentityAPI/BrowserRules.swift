import Cryptography
package import HTTPMessages

/// What holds for every request that a browser might have sent for somebody else.
///
/// A page on another site can make a browser send requests here, with cookies; a name that an attacker
/// points at 127.0.0.1 even makes it look like the same site (DNS rebinding). Hence: the Host must be
/// one of ours; whatever a cookie authenticates and changes something must come from our own origin and
/// carry the session's CSRF token.
package struct BrowserRules: Sendable {
    private let hosts: Set<String>

    /// Hosts of this machine, that of the public URL, and the configured ones are ours.
    package init(publicURL: String, allowedHosts: [String] = []) {
        var hosts: Set<String> = ["localhost", "127.0.0.1", "[::1]"]
        if let host = Self.authority(ofURL: publicURL).flatMap({ HostName.split($0)?.host }) {
            hosts.insert(host.lowercased())
        }
        for host in allowedHosts { hosts.insert(host.lowercased()) }
        self.hosts = hosts
    }

    // MARK: Host

    /// Whether the Host field names us: exactly, or below `localhost`.
    package func isAllowedHost(_ request: Request) -> Bool {
        guard let field = request.fields["Host"], let (host, _) = HostName.split(field) else {
            return false
        }
        let name = host.lowercased()
        return hosts.contains(name) || name.hasSuffix(".localhost")
    }

    /// The refusal for a foreign Host; nil when it is ours. Call first.
    package func hostRefusal(_ request: Request) -> Response? {
        if isAllowedHost(request) { return nil }
        return secured(
            .text(
                421,
                "this server does not answer to that name; add it to the setting allowed-hosts\n"))
    }

    // MARK: Origin and CSRF

    /// Whether the request comes from a page of ours, or not from a page at all.
    ///
    /// Browsers send Origin with every POST; where one is missing, Sec-Fetch-Site or Referer must speak
    /// for it. Source: OWASP, "Verifying Origin With Standard Headers".
    package func isSameOrigin(_ request: Request) -> Bool {
        guard let host = request.fields["Host"]?.lowercased() else { return false }
        if let origin = request.fields["Origin"] {
            return Self.authority(ofURL: origin)?.lowercased() == host
        }
        if let site = request.fields["Sec-Fetch-Site"] {
            return site == "same-origin" || site == "none"
        }
        if let referrer = request.fields["Referer"] {
            return Self.authority(ofURL: referrer)?.lowercased() == host
        }
        return false
    }

    /// The refusal of a write that a cookie authenticates; nil when it is sound. `token` is what the form
    /// field `csrf` or the field `X-CSRF-Token` holds, `expected` what the session wants.
    package func writeRefusal(
        _ request: Request, token: String?, expected: String
    ) -> Response? {
        guard isSameOrigin(request) else {
            return secured(.text(403, "the request comes from another site\n"))
        }
        guard let token, constantTimeEqual(token, expected) else {
            return secured(.text(403, "the form is stale; reload the page and try again\n"))
        }
        return nil
    }

    // MARK: Cookies

    /// The name of the session's cookie: cookies are shared by all ports of a host, so it has the port.
    package func cookieName(_ request: Request) -> String {
        let port = request.fields["Host"].flatMap { HostName.split($0)?.port }
        return "lakehouse_session_" + (port ?? (request.isSecure ? "443" : "80"))
    }

    /// The value of the session's cookie, if one was sent.
    package func sessionCookie(_ request: Request) -> String? {
        request.cookie(cookieName(request)).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The answer with a cookie that opens the session.
    package func openingSession(
        _ response: Response, _ request: Request, cookie: String, lifetimeSeconds: Int64
    ) -> Response {
        var field = SetCookie(cookieName(request), cookie)
        field.isSecure = request.isSecure
        field.maxAgeSeconds = lifetimeSeconds
        var response = response
        response.fields.append("Set-Cookie", field.field)
        return response
    }

    /// The answer that makes the browser forget the session.
    package func closingSession(_ response: Response, _ request: Request) -> Response {
        var field = SetCookie(cookieName(request), "")
        field.isSecure = request.isSecure
        field.maxAgeSeconds = 0
        var response = response
        response.fields.append("Set-Cookie", field.field)
        return response
    }

    // MARK: Fields

    /// The Content-Security-Policy of pages: nothing inline, nothing from elsewhere. `formTargets` are
    /// origins that a form may end up at after redirects.
    package func contentSecurityPolicy(formTargets: [String] = []) -> String {
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            + "font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            + "form-action " + (["'self'"] + formTargets).joined(separator: " ")
    }

    /// The answer with the fields that every page has.
    package func secured(_ response: Response, formTargets: [String] = []) -> Response {
        var response = response
        response.fields["Content-Security-Policy"] = contentSecurityPolicy(formTargets: formTargets)
        response.fields["X-Content-Type-Options"] = "nosniff"
        response.fields["X-Frame-Options"] = "DENY"
        response.fields["Referrer-Policy"] = "same-origin"
        response.fields["Cross-Origin-Opener-Policy"] = "same-origin"
        if response.fields["Cache-Control"] == nil { response.fields["Cache-Control"] = "no-store" }
        return response
    }

    /// The path to go to after logging in, if it is one of ours; else `/`.
    package static func localPath(_ path: String?) -> String {
        guard let path, path.hasPrefix("/"), !path.hasPrefix("//"), path.utf8.count <= 8192,
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x5C })
        else { return "/" }
        return path
    }

    /// Host and port of an http(s) URL; nil for any other text, such as `null`.
    static func authority(ofURL url: String) -> String? {
        for scheme in ["https://", "http://"] where url.lowercased().hasPrefix(scheme) {
            let rest = url.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            return rest.isEmpty || rest.contains("@") ? nil : String(rest)
        }
        return nil
    }
}
