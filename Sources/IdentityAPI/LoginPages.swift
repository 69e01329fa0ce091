import Authority
import HTTPMessages
import Identity

extension IdentityEndpoints {
    var loginRoutes: [Route] {
        [
            Route(.get, "/login") { request, _ in page(request) { try showLogin(request) } },
            Route(.post, "/login") { request, _ in page(request) { try logIn(request) } },
            Route(.post, "/logout") { request, _ in page(request) { try logOut(request) } },
            Route(.get, "/device") { request, _ in page(request) { try showDevice(request) } },
            Route(.post, "/device") { request, _ in page(request) { try answerDevice(request) } },
            Route(.get, "/login.css") { _, _ in
                Response(
                    status: 200, contentType: "text/css; charset=utf-8",
                    bytes: Array(Pages.stylesheet.utf8)
                ).with("Cache-Control", "max-age=3600").with("X-Content-Type-Options", "nosniff")
            },
        ]
    }

    /// Answers a page under the browser rules; failures become pages too.
    func page(_ request: Request, _ body: () throws -> Response) -> Response {
        if let refusal = rules.hostRefusal(request) { return refusal }
        do {
            let response = try body()
            return response.fields["Content-Security-Policy"] == nil
                ? rules.secured(response) : response
        } catch let refusal as BrowserRefusal {
            return refusal.response
        } catch let error as IdentityError {
            return rules.secured(
                .html(error.code.status, Pages.note("That did not work", error.message)))
        } catch let error as OAuthError {
            return rules.secured(
                .html(error.status, Pages.note("That did not work", error.description)))
        } catch {
            return rules.secured(.html(500, Pages.note("That did not work", "The request failed.")))
        }
    }

    private func showLogin(_ request: Request) throws -> Response {
        let query = request.queryItems
        let next = BrowserRules.localPath(query["next"])
        let context = authenticator.anonymous(request, door: .console)
        if let token = query["token"] {
            do {
                let opened = try registry.redeemLoginLink(
                    context, token: token, address: request.remoteAddress)
                return opening(opened, request, next)
            } catch let error as IdentityError where error.code == .wrongCredentials {
                return secured(.html(401, Pages.login(next: next, message: error.message)), next)
            }
        }
        if let cookie = rules.sessionCookie(request),
            try registry.session(context, cookie: cookie) != nil
        {
            return .redirect(to: next)
        }
        return secured(.html(200, Pages.login(next: next)), next)
    }

    private func logIn(_ request: Request) throws -> Response {
        // No session yet, so no token; the origin keeps other sites from logging somebody in.
        guard rules.isSameOrigin(request) else {
            return rules.secured(.text(403, "the request comes from another site\n"))
        }
        guard let form = try request.readForm(limit: 16 << 10) else {
            throw OAuthError.invalidRequest("the form cannot be read")
        }
        let next = BrowserRules.localPath(form["next"])
        let name = form["name"] ?? ""
        let context = authenticator.anonymous(request, door: .console)
        do {
            let principal = try registry.authenticate(
                context, name: name, password: form["password"] ?? "",
                address: request.remoteAddress)
            let opened = try registry.openSession(
                context, for: principal, address: request.remoteAddress)
            // The old session of this browser ends, so that nobody keeps a cookie they planted.
            if let old = rules.sessionCookie(request) {
                try registry.closeSession(context, cookie: old)
            }
            return opening(opened, request, next)
        } catch let error as IdentityError
            where error.code.status == 401 || error.code == .throttled
        {
            let message = [error.message, error.code == .throttled ? error.hint : nil]
                .compactMap { $0 }.joined(separator: "; ")
            var response = Response.html(
                error.code.status, Pages.login(next: next, name: name, message: message))
            if let seconds = error.retryAfterSeconds {
                response.fields["Retry-After"] = String(seconds)
            }
            return secured(response, next)
        }
    }

    private func logOut(_ request: Request) throws -> Response {
        guard let form = try request.readForm(limit: 16 << 10) else {
            throw OAuthError.invalidRequest("the form cannot be read")
        }
        let known = try authenticator.authenticate(
            request, door: .console, csrfToken: form["csrf"])
        if let known, let cookie = rules.sessionCookie(request) {
            try registry.closeSession(known.context, cookie: cookie)
        }
        let target = form["next"] ?? ""
        let isRegistered =
            target.contains("://")
            ? try isRegisteredLogoutTarget(target) : false
        return rules.closingSession(
            .redirect(to: isRegistered ? target : "/login"), request)
    }

    private func showDevice(_ request: Request) throws -> Response {
        guard let known = try authenticator.authenticate(request, door: .oidc),
            let session = known.session
        else { return redirectToLogin(request) }
        let code = request.queryItems["user_code"] ?? ""
        return .html(200, Pages.device(csrf: session.csrfToken, userCode: String(code.prefix(32))))
    }

    private func answerDevice(_ request: Request) throws -> Response {
        guard let form = try request.readForm(limit: 16 << 10) else {
            throw OAuthError.invalidRequest("the form cannot be read")
        }
        guard
            let known = try authenticator.authenticate(
                request, door: .oidc, csrfToken: form["csrf"]), let session = known.session
        else { return redirectToLogin(request) }
        let isAllowed = form["answer"] == "allow"
        do {
            try registry.answerDevice(
                known.context, userCode: form["user_code"] ?? "", isAllowed: isAllowed,
                address: request.remoteAddress)
        } catch let error as IdentityError where error.code == .notFound {
            return .html(
                404,
                Pages.device(
                    csrf: session.csrfToken, userCode: form["user_code"] ?? "",
                    message: error.message))
        }
        return .html(
            200,
            Pages.note(
                isAllowed ? "Connected" : "Refused",
                isAllowed ? "Go back to the device." : "The device gets nothing."))
    }

    func redirectToLogin(_ request: Request) -> Response {
        let query = request.rawQuery.isEmpty ? "" : "?\(request.rawQuery)"
        return .redirect(to: "/login?next=" + PercentCoding.encode(request.rawPath + query))
    }

    private func opening(_ opened: NewSession, _ request: Request, _ next: String) -> Response {
        rules.openingSession(
            .redirect(to: next), request, cookie: opened.cookie,
            lifetimeSeconds: registry.configuration.sessionLifetime.components.seconds)
    }

    /// Chrome applies `form-action` to the whole chain of redirects, so a login on the way to a client
    /// has to name the client's origin.
    private func secured(_ response: Response, _ next: String) -> Response {
        var targets: [String] = []
        if next.hasPrefix("/oidc/authorize?"),
            let items = QueryItems(parsing: next.dropFirst("/oidc/authorize?".utf8.count)),
            let uri = items["redirect_uri"], let id = items["client_id"],
            let client = try? registry.registeredClient(id), Self.isRegistered(uri, for: client),
            let authority = BrowserRules.authority(ofURL: uri)
        {
            targets = ["\(uri.hasPrefix("https") ? "https" : "http")://\(authority)"]
        }
        return rules.secured(response, formTargets: targets)
    }
}
