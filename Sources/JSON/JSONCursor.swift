/// A value with the path that led to it, so that errors say where: `$.schema.fields[3].id`.
///
/// Decoders go down with subscripts and take values out at the leaves. Going to a member that is
/// absent is no error until something is taken out of it.
package struct JSONCursor: Sendable {
    /// The value; nil where a member is absent.
    package let value: JSONValue?
    /// Where it is, from `$`.
    package let path: String

    package init(_ value: JSONValue?, path: String = "$") {
        self.value = value
        self.path = path
    }

    package subscript(_ name: String) -> JSONCursor {
        guard case .object(let object) = value else {
            return JSONCursor(nil, path: "\(path).\(name)")
        }
        return JSONCursor(object[name], path: "\(path).\(name)")
    }

    /// Whether there is a value other than null.
    package var isPresent: Bool { value.map { !$0.isNull } ?? false }
    package var isString: Bool { if case .string = value { true } else { false } }
    package var isObject: Bool { if case .object = value { true } else { false } }

    /// The typed reads of the value under the cursor. Each throws a fault with the path when the
    /// value has another type or does not fit.
    package func string() throws(JSONError) -> String {
        guard case .string(let text) = value else { throw expected("a string") }
        return text
    }

    /// The value, which must be `true` or `false`. Throws a fault with the path.
    package func bool() throws(JSONError) -> Bool {
        guard case .bool(let flag) = value else { throw expected("a boolean") }
        return flag
    }

    /// The value, which must be a whole number of 64 bits. Throws a fault with the path.
    package func int64() throws(JSONError) -> Int64 {
        guard case .number(let number) = value else { throw expected("a whole number") }
        guard let whole = number.int64 else {
            throw JSONError(
                code: .outOfRange, message: "no 64-bit whole number at \(path): \(number.text)")
        }
        return whole
    }

    package func int() throws(JSONError) -> Int { Int(try int64()) }

    /// The value, which must be a whole number of 32 bits. Throws a fault with the path.
    package func int32() throws(JSONError) -> Int32 {
        let wide = try int64()
        guard let narrow = Int32(exactly: wide) else {
            throw JSONError(
                code: .outOfRange, message: "no 32-bit whole number at \(path): \(wide)")
        }
        return narrow
    }

    /// The value as the nearest double. Throws a fault with the path unless it is a number.
    package func double() throws(JSONError) -> Double {
        guard case .number(let number) = value, let double = number.double else {
            throw expected("a number")
        }
        return double
    }

    /// The value, which must be an object. Throws a fault with the path.
    package func object() throws(JSONError) -> JSONObject {
        guard case .object(let object) = value else { throw expected("an object") }
        return object
    }

    /// The elements of an array, each with its path.
    package func elements() throws(JSONError) -> [JSONCursor] {
        guard case .array(let array) = value else { throw expected("an array") }
        return array.enumerated().map { JSONCursor($0.element, path: "\(path)[\($0.offset)]") }
    }

    /// The members of an object whose values are strings.
    package func stringMap() throws(JSONError) -> [String: String] {
        var map: [String: String] = [:]
        for member in try object().members {
            map[member.name] = try self[member.name].string()
        }
        return map
    }

    /// The elements, which must all be strings. Throws a fault with the path of the first that is
    /// not.
    package func strings() throws(JSONError) -> [String] {
        var texts: [String] = []
        for element in try elements() { texts.append(try element.string()) }
        return texts
    }

    // The optional forms: nil where the member is absent or null, an error where it is of another kind.
    package func optionalString() throws(JSONError) -> String? { isPresent ? try string() : nil }
    package func optionalInt64() throws(JSONError) -> Int64? { isPresent ? try int64() : nil }
    package func optionalInt() throws(JSONError) -> Int? { isPresent ? try int() : nil }
    package func optionalBool() throws(JSONError) -> Bool? { isPresent ? try bool() : nil }
    package func optionalDouble() throws(JSONError) -> Double? { isPresent ? try double() : nil }
    /// The elements, or nil when the value is absent or null. Throws when it is not an array.
    package func optionalElements() throws(JSONError) -> [JSONCursor]? {
        isPresent ? try elements() : nil
    }
    /// The members as strings, or nil when the value is absent or null. Throws for a member of
    /// another type.
    package func optionalStringMap() throws(JSONError) -> [String: String]? {
        isPresent ? try stringMap() : nil
    }

    /// The error for a value of the wrong kind, or a missing one.
    package func expected(_ what: String) -> JSONError {
        guard let value else {
            return JSONError(code: .missing, message: "\(what) is missing at \(path)")
        }
        return JSONError(
            code: .wrongType, message: "expected \(what) at \(path), found \(value.kind)")
    }
}

extension JSONValue {
    /// The start of a walk down with paths.
    package var cursor: JSONCursor { JSONCursor(self) }
}
