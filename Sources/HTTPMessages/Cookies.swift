extension Request {
    /// The first value of a cookie, as sent. Source: RFC 6265, section 5.4.
    package func cookie(_ name: String) -> String? {
        for field in fields.values("Cookie") {
            for pair in field.split(separator: ";") {
                let text = trimmed(pair)
                guard let mark = text.firstIndex(of: "="), text[..<mark] == name else { continue }
                let value = text[text.index(after: mark)...]
                let isQuoted =
                    value.utf8.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
                return String(isQuoted ? value.dropFirst().dropLast() : value)
            }
        }
        return nil
    }
}

/// A cookie to set. HttpOnly and SameSite=Lax unless said otherwise.
package struct SetCookie: Sendable {
    /// Whether the cookie goes along with requests from other sites.
    package enum SameSite: String, Sendable { case strict = "Strict", lax = "Lax", none = "None" }

    /// The name, a token.
    package var name: String
    /// The value, before escaping.
    package var value: String
    /// Requests below this path carry the cookie.
    package var path = "/"
    /// Seconds to live; nil until the browser closes, 0 removes it.
    package var maxAgeSeconds: Int64?
    /// Scripts do not see it.
    package var isHTTPOnly = true
    /// It goes over TLS only.
    package var isSecure = false
    /// Whether other sites' requests carry it.
    package var sameSite = SameSite.lax

    /// A cookie that lives until the browser closes.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// The value of the `Set-Cookie` field; characters that may not stand in a cookie are escaped.
    package var field: String {
        let sound = value.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x2C && $0 != 0x3B && $0 != 0x5C
        }
        var text =
            "\(name)=\(sound ? value : PercentCoding.encode(value)); Path=\(path); SameSite=\(sameSite.rawValue)"
        if let maxAgeSeconds { text += "; Max-Age=\(maxAgeSeconds)" }
        if isHTTPOnly { text += "; HttpOnly" }
        if isSecure { text += "; Secure" }
        return text
    }
}
