import Testing
import Vectors

@testable import SQLFunctions

struct StringFunctionTests {
    @Test(arguments: [
        Case("substr", [(.text, "iceberg"), (.bigint, 4)], "berg"),
        Case("substring", [(.text, "iceberg"), (.bigint, -4), (.bigint, 2)], "be"),
        Case("substr", [(.text, "iceberg"), (.bigint, 0)], ""),
        Case("substr", [(.text, "iceberg"), (.bigint, -9)], ""),
        Case("substr", [(.text, "héllo wörld, long"), (.bigint, 2), (.bigint, 9)], "éllo wörl"),
        Case("substr", [(.text, "abc"), (.bigint, 2), (.bigint, -1)], ""),
        Case("length", [(.text, "héllo")], "5"),
        Case("length", [(.varbinary, .bytes([1, 2]))], "2"),
        Case("lower", ["ÄBC xyz"], "äbc xyz"),
        Case("upper", ["straße"], "STRAßE"),
        Case("upper", ["abcdefghijklmnopqrstuvwxyz{}"], "ABCDEFGHIJKLMNOPQRSTUVWXYZ{}"),
        Case("reverse", ["añb"], "bña"),
        Case("trim", ["  a b \t"], "a b"),
        Case("ltrim", ["xxaxx", "x"], "axx"),
        Case("rtrim", ["xyaxy", "yx"], "xya"),
        Case("concat", ["ice", "berg"], "iceberg"),
        Case("concat", [(.text, "a"), (.text, nil)], "NULL"),
        Case("concat_ws", [(.text, "-"), (.text, "a"), (.text, nil), (.text, "b")], "a-b"),
        Case("concat_ws", [(.text, ","), (.array(.text), .list(["x", nil, "y"]))], "x,y"),
        Case("replace", ["banana", "an", "AN"], "bANANa"),
        Case("replace", ["ab", "", "-"], "-a-b-"),
        Case("replace", ["banana", "an"], "ba"),
        Case("strpos", ["iceberg", "berg"], "4"),
        Case("strpos", ["iceberg", ""], "1"),
        Case("strpos", [(.text, "banana"), (.text, "a"), (.bigint, -1)], "6"),
        Case("strpos", [(.text, "banana"), (.text, "a"), (.bigint, 4)], "0"),
        Case("starts_with", ["iceberg", "ice"], "true"),
        Case("ends_with", ["iceberg", "ice"], "false"),
        Case("split_part", [(.text, "a,b,c"), (.text, ","), (.bigint, 2)], "b"),
        Case("split_part", [(.text, "a,b,c"), (.text, ","), (.bigint, 4)], "NULL"),
        Case("lpad", [(.text, "7"), (.bigint, 3), (.text, "0")], "007"),
        Case("rpad", [(.text, "abcdef"), (.bigint, 3), (.text, ".")], "abc"),
        Case("chr", [(.bigint, 8364)], "€"),
        Case("codepoint", [(.varchar(length: 1), "€")], "8364"),
        Case("translate", ["abcd", "abc", "xy"], "xyd"),
    ])
    func results(_ test: Case) throws { try test.check() }

    @Test(arguments: [
        Case("split_part", [(.text, "a"), (.text, ","), (.bigint, 0)], ""),
        Case("chr", [(.bigint, -1)], ""),
        Case("lpad", [(.text, "7"), (.bigint, -3), (.text, "0")], ""),
        Case("lpad", [(.text, "7"), (.bigint, 3), (.text, "")], ""),
        Case("strpos", [(.text, "banana"), (.text, "a"), (.bigint, 0)], ""),
    ])
    func failures(_ test: Case) throws {
        #expect {
            try evaluate(test.name, test.arguments)
        } throws: { ($0 as? QueryFault)?.code == .invalidFunctionArgument }
    }
}
