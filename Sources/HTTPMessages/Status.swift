/// Status codes and their reason phrases. Source: RFC 9110, section 15.
package enum Status {
    /// The reason phrase of `status` in RFC 9110 section 15; "Unknown" for others.
    package static func reason(_ status: Int) -> String {
        switch status {
        case 100: "Continue"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 418: "I'm a teapot"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 423: "Locked"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: "Status"
        }
    }

    /// Whether an answer of this status never has a body.
    package static func hasNoBody(_ status: Int) -> Bool {
        status < 200 || status == 204 || status == 304
    }
}

extension Response {
    /// 204.
    package static var noContent: Response { Response(status: 204) }

    /// Plain text in UTF-8.
    package static func text(_ status: Int, _ text: String) -> Response {
        Response(status: status, contentType: "text/plain; charset=utf-8", bytes: Array(text.utf8))
    }

    /// HTML in UTF-8.
    package static func html(_ status: Int = 200, _ text: String) -> Response {
        Response(status: status, contentType: "text/html; charset=utf-8", bytes: Array(text.utf8))
    }

    /// JSON that is written already.
    package static func json(_ status: Int = 200, _ bytes: [UInt8]) -> Response {
        Response(status: status, contentType: "application/json", bytes: bytes)
    }

    /// Sends the client elsewhere: 303 after a form, 302 or 307 otherwise.
    package static func redirect(to location: String, status: Int = 303) -> Response {
        Response(status: status, fields: Fields([("Location", location)]))
    }

    /// The same with one more field.
    package func with(_ name: String, _ value: String) -> Response {
        var copy = self
        copy.fields.append(name, value)
        return copy
    }
}
