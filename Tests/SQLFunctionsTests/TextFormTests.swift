import Testing
import Vectors

@testable import SQLFunctions

/// Regular expressions, JSON, binary values and URLs.
struct TextFormTests {
    private static let table0: [Case] = [
        Case("regexp_like", ["1a 2b 14m", "\\d+b"], "true"),
        Case("regexp_extract", ["1a 2b 14m", "\\d+"], "1"),
        Case(
            "regexp_extract", [(.text, "1a 2b 14m"), (.text, "(\\d+)([a-z]+)"), (.bigint, 2)], "a"),
        Case("regexp_extract", ["abc", "\\d+"], "NULL"),
        Case("regexp_extract_all", ["1a 2b 14m", "\\d+"], "[1, 2, 14]"),
        Case("regexp_replace", ["1a 2b 14m", "\\d+[ab] "], "14m"),
        Case("regexp_replace", ["1a 2b 14m", "(\\d+)([ab]) ", "3c$2 "], "3ca 3cb 14m"),
        Case("regexp_split", ["1a 2b 14m", "\\s*[a-z]+\\s*"], "[1, 2, 14, ]"),
        Case("regexp_count", ["1a 2b 14m", "\\s*[a-z]+\\s*"], "3"),
        Case("regexp_position", ["I have 23 apples, 5 pears", "\\b\\d+\\b"], "8"),
        Case("json_extract", ["{\"a\": {\"b\": [1, 2]}}", "$.a.b"], "[1,2]"),
        Case(
            "json_extract", [(.json, "{\"a\":[{\"b\":1},{\"b\":2}]}"), (.text, "$.a[*].b")], "[1,2]"
        ),
    ]

    private static let table1: [Case] = [
        Case("json_extract_scalar", ["{\"a\": [1, \"x\"]}", "$.a[1]"], "x"),
        Case("json_extract_scalar", ["{\"a b\": true}", "$[\"a b\"]"], "true"),
        Case("json_extract_scalar", ["{\"a\": 1}", "$.b"], "NULL"),
        Case("json_extract_scalar", ["no json", "$.b"], "NULL"),
        Case("json_parse", ["{\"b\": 1.50, \"a\": null}"], "{\"a\":null,\"b\":1.50}"),
        Case("json_array_length", ["[1, 2, 3]"], "3"),
        Case("json_array_length", ["{}"], "NULL"),
        Case("json_size", ["{\"x\": {\"a\": 1, \"b\": 2}}", "$.x"], "2"),
        Case("json_array_contains", [(.text, "[1, 2, 3]"), (.bigint, 2)], "true"),
        Case("json_array_get", [(.text, "[\"a\", [3, 9]]"), (.bigint, -1)], "[3,9]"),
    ]

    private static let table2: [Case] = [
        Case(
            "$json_object",
            [
                (.array(.text), .list(["a", "b"])), (.array(.json), .list(["1", nil])),
                (.boolean, true),
                (.boolean, false),
            ], "{\"a\":1,\"b\":null}"),
        Case("$json_array", [(.array(.json), .list(["1", nil])), (.boolean, false)], "[1]"),
        Case("md5", [(.varbinary, "abc")], "900150983cd24fb0d6963f7d28e17f72"),
        Case(
            "sha256", [(.varbinary, "abc")],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        Case("xxhash64", [(.varbinary, "abc")], "44bc2cf5ad770999"),
        Case("crc32", [(.varbinary, "abc")], "891568578"),
        Case("to_hex", [(.varbinary, .bytes([0, 255]))], "00FF"),
        Case("from_hex", ["00ff"], "00ff"),
        Case("to_base64", [(.varbinary, "abc")], "YWJj"),
    ]

    private static let table3: [Case] = [
        Case("from_base64", ["YWJj"], "616263"),
        Case("from_utf8", [(.varbinary, .bytes([0x58, 0xBF])), (.text, "#")], "X#"),
        Case(
            "hmac_md5",
            [(.varbinary, "The quick brown fox jumps over the lazy dog"), (.varbinary, "key")],
            "80070713463e7749b90c2dc24911e275"),
        Case("url_extract_host", ["http://u@example.com:8080/a%20b?k=v&x=%41#f"], "example.com"),
        Case("url_extract_port", ["http://example.com:8080/a"], "8080"),
        Case("url_extract_path", ["http://example.com:8080/a%20b?k=v"], "/a b"),
        Case("url_extract_parameter", ["http://example.com/?k=v&x=%41", "x"], "A"),
        Case("url_extract_fragment", ["http://example.com/#f"], "f"),
        Case("url_encode", ["a b/ü~*"], "a+b%2F%C3%BC%7E*"),
        Case("url_decode", ["a+b%2F"], "a b/"),
        Case("split", ["a,b,,c", ","], "[a, b, , c]"),
        Case("split", [(.text, "a,b,c"), (.text, ","), (.bigint, 2)], "[a, b,c]"),
    ]

    private static let table4: [Case] = [
        Case("split_to_map", ["a:1;b:2", ";", ":"], "{a=1, b=2}"),
        Case("levenshtein_distance", ["kitten", "sitting"], "3"),
        Case("hamming_distance", ["abc", "abd"], "1"),
        Case("luhn_check", ["79927398713"], "true"),
        Case("luhn_check", ["79927398710"], "false"),
        Case("soundex", ["Robert"], "R163"),
        Case("soundex", ["Tymczak"], "T522"),
        Case("format", [(.text, "%s %d%%"), (.text, "a"), (.integer, 5)], "a 5%"),
        Case(
            "format",
            [
                (.text, "%,.2f|%5s|%-5s|%05d"), (.double, 1234567.891), (.text, "x"), (.text, "y"),
                (.bigint, 42),
            ],
            "1,234,567.89|    x|y    |00042"),
        Case("format", [(.text, "%x %2$s"), (.bigint, 255), (.boolean, true)], "ff true"),
        Case("format_number", [(.bigint, 123456)], "123K"),
        Case("format_number", [(.bigint, 1_000_000)], "1M"),
    ]

    @Test(arguments: table0 + table1 + table2 + table3 + table4)
    func results(_ test: Case) throws { try test.check() }

    private static let wrong: [Case] = [
        Case("regexp_like", ["a", "("], ""),
        Case("regexp_extract", [(.text, "a"), (.text, "a"), (.bigint, 1)], ""),
        Case("json_parse", ["{"], ""),
        Case("json_extract", ["{}", "a.b"], ""),
        Case("from_hex", ["0"], ""),
        Case("from_base64", ["*"], ""),
        Case("hamming_distance", ["ab", "a"], ""),
        Case("split_to_map", ["a:1;a:2", ";", ":"], ""),
        Case("format", [(.text, "%d"), (.text, "a")], ""),
    ]

    @Test(arguments: wrong)
    func failures(_ test: Case) throws {
        #expect {
            try evaluate(test.name, test.arguments)
        } throws: { ($0 as? QueryFault)?.code == .invalidFunctionArgument }
    }
}
