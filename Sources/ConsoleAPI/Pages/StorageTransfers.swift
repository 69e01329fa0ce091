import Authority
import Diagnostics
import HTTPMessages
import JSON

extension StoragePages {
    var transferRoutes: [Route] {
        [
            Route(.get, "/storage/{bucket}/download") { request, path in
                send(request, path, asPicture: false)
            },
            Route(.get, "/storage/{bucket}/image") { request, path in
                send(request, path, asPicture: true)
            },
            // By the module of the page, which shows how far it is; the token is in X-CSRF-Token.
            Route(.put, "/storage/{bucket}/upload") { request, path in receive(request, path) },
        ]
    }

    /// The content: as a file to keep, or as a picture. It never runs as a page of ours: what is not a
    /// picture is only ever a download, without its type, and shut into a sandbox.
    private func send(_ request: Request, _ path: PathParameters, asPicture: Bool) -> Response {
        pages.visit(request, csrfToken: nil, .storage) { visitor in
            let place = try place(path, request.queryItems)
            let found = try storage.content(visitor.context, place)
            let type = found.object.contentType ?? ""
            var response = Response(
                status: 200,
                body: .stream(length: found.object.entry.sizeBytes, found.stream))
            response = pages.doors.authenticator.secured(response)
            if asPicture {
                guard StorageContent.pictures.contains(type) else {
                    found.stream.close()
                    throw ConsoleNotFound("this is no picture", hint: "download it")
                }
                response.fields["Content-Type"] = type
            } else {
                response.fields["Content-Type"] = "application/octet-stream"
                response.fields["Content-Disposition"] =
                    "attachment; filename*=UTF-8''"
                    + PercentCoding.encode(tail(place.key, parent(of: place.key)))
            }
            response.fields["Content-Security-Policy"] = "sandbox; default-src 'none'"
            return response
        }
    }

    private func receive(_ request: Request, _ path: PathParameters) -> Response {
        let visitor: ConsoleVisitor
        do throws(ConsoleRefusal) {
            guard
                let known = try pages.doors.authenticator.authenticate(request, csrfToken: nil)
            else { return refusal(401, "request.no_credential", "log in first", nil) }
            visitor = known
        } catch { return error.response }
        do {
            let object = try storage.upload(
                visitor.context, try place(path, request.queryItems),
                contentType: request.fields["Content-Type"], request.body)
            return pages.doors.authenticator.secured(
                .json(
                    201,
                    JSONValue.object([
                        ("key", .string(object.entry.key)),
                        ("sizeBytes", .int(object.entry.sizeBytes)),
                        ("etag", .string(object.etag)),
                    ]).encoded()))
        } catch let error as ConsoleNotFound {
            return refusal(400, "request.key", error.what, error.hint)
        } catch let error as HTTPBodyError {
            return refusal(400, "request.body", "the upload broke off: \(error)", "send it again")
        } catch let error as any Fault {
            return refusal(
                FaultPage.status(ofCode: error.codeText), error.codeText, error.message, error.hint
            )
        } catch {
            return refusal(500, "request.failed", "the upload did not work", nil)
        }
    }

    private func refusal(
        _ status: Int, _ code: String, _ message: String, _ hint: String?
    ) -> Response {
        var members: [(String, JSONValue)] = [
            ("code", .string(code)), ("message", .string(message)),
        ]
        if let hint { members.append(("hint", .string(hint))) }
        return pages.doors.authenticator.secured(
            .json(status, JSONValue.object([("error", .object(members))]).encoded()))
    }
}
