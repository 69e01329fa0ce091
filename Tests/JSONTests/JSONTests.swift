import JSON
import Testing

struct JSONTests {
    @Test(arguments: [
        #"{"a":[1,2.50,-3e10,true,false,null],"b":{"c":"d"},"":[]}"#, "[]", "{}", "0",
        #""é\n\t\"\\\u0001""#, "12345678901234567890123456789012345678",
    ])
    func textsComeBackExactly(text: String) throws {
        let value = try JSONValue(parsing: text)
        #expect(value.encodedText() == text)
        #expect(try JSONValue(parsing: value.encoded(.pretty)) == value)
    }

    @Test(arguments: [
        ("", 0), ("[1,]", 3), ("{\"a\" 1}", 5), ("01", 1), ("1.", 2), ("\"\u{1}\"", 1),
        ("[1] 2", 4),
        ("tru", 0), ("\"abc", 4), ("{a:1}", 1), ("\"\\x\"", 2), ("-", 1), ("nul", 0),
    ])
    func brokenTextsNameTheByte(text: String, offset: Int) {
        #expect { try JSONValue(parsing: text) } throws: {
            let error = $0 as? JSONError
            return error?.code == .syntax && error?.offset == offset
        }
    }

    @Test func depthHasALimit() {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect { try JSONValue(parsing: deep) } throws: { ($0 as? JSONError)?.code == .tooDeep }
    }

    @Test func escapesAndSurrogates() throws {
        #expect(try JSONValue(parsing: #""\ud83d\ude00\u00e9\/""#) == "😀é/")
        #expect(try JSONValue(parsing: #""\ud83d!""#) == .string("\u{FFFD}!"))
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
    }

    @Test(arguments: [
        ("1", 1), ("-0", 0), ("1.0", 1), ("1e3", 1000), ("12.50e1", 125), ("0.000", 0),
        ("9223372036854775807", Int64.max),
    ])
    func wholeNumbersAreFound(text: String, value: Int64) {
        #expect(JSONNumber(text: text).int64 == value)
    }

    @Test(arguments: [
        "1.5", "9223372036854775808", "1e400", "1e-1", "1e-9223372036854775808",
        "1e9223372036854775807", "1e99999999999999999999",
    ])
    func otherNumbersAreNone(text: String) {
        #expect(JSONNumber(text: text).int64 == nil)
    }

    @Test func errorsNameThePath() throws {
        let value = try JSONValue(parsing: #"{"a":{"b":[1,"x"]}}"#)
        let element = try value.cursor["a"]["b"].elements()[1]
        #expect { try element.int() } throws: {
            ($0 as? JSONError)?.message == "expected a whole number at $.a.b[1], found a string"
        }
        #expect { try value.cursor["a"]["z"].string() } throws: {
            ($0 as? JSONError)?.code == .missing
        }
        #expect(try value.cursor["z"]["y"].optionalInt() == nil)
    }

    @Test func objectsKeepOrderAndReplaceInPlace() {
        var object = JSONObject([("b", 1), ("a", 2)])
        object["b"] = 3
        object["c"] = 4
        object["a"] = nil
        #expect(JSONValue.object(object).encodedText() == #"{"b":3,"c":4}"#)
    }

    @Test func doublesAreShortest() {
        var writer = JSONWriter()
        writer.beginArray()
        writer.double(0.1)
        writer.double(3)
        writer.double(1e300)
        writer.double(.nan)
        writer.endArray()
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "[0.1,3,1e+300,null]")
    }
}
