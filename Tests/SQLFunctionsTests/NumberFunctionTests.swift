import Testing
import Vectors

@testable import SQLFunctions

struct NumberFunctionTests {
    static let money = LogicalType.decimal(precision: 12, scale: 2)
    static let wide = LogicalType.decimal(precision: 30, scale: 4)

    @Test(arguments: [
        Case("abs", [(.tinyint, -7)], "7"),
        Case("abs", [(money, -150)], "1.50"),
        Case("abs", [(.double, -1.5)], "1.5"),
        Case("round", [(.double, 2.5)], "3.0"),
        Case("round", [(.double, -2.5)], "-3.0"),
        Case("round", [(.double, 123.456), (.integer, 1)], "123.5"),
        Case("round", [(.integer, 155), (.integer, -1)], "160"),
        Case("round", [(money, 250)], "3"),
        Case("round", [(money, 12345), (.integer, 1)], "123.50"),
        Case("round", [(wide, 1_234_567), (.integer, 2)], "123.4600"),
        Case("ceil", [(money, 201)], "3"),
        Case("floor", [(money, -201)], "-3"),
        Case("ceiling", [(.double, -0.5)], "-0.0"),
        Case("truncate", [(.double, -2.7)], "-2.0"),
        Case("truncate", [(money, 299)], "2"),
        Case("truncate", [(money, 12345), (.integer, -1)], "120.00"),
        Case("sign", [(money, -5)], "-1"),
        Case("mod", [(.integer, -7), (.integer, 3)], "-1"),
        Case("mod", [(money, 500), (.decimal(precision: 3, scale: 1), 30)], "2.00"),
        Case("power", [(.integer, 2), (.integer, 10)], "1024.0"),
        Case("sqrt", [(.double, 16)], "4.0"),
        Case("width_bucket", [(.double, 5), (.double, 0), (.double, 10), (.bigint, 4)], "3"),
        Case("width_bucket", [(.double, 5), (.double, 10), (.double, 0), (.bigint, 4)], "2"),
        Case("to_base", [(.bigint, 255), (.bigint, 16)], "ff"),
        Case("from_base", [(.text, "ff"), (.bigint, 16)], "255"),
        Case("bit_count", [(.bigint, -7), (.bigint, 64)], "62"),
        Case("bitwise_right_shift", [(.bigint, -1), (.bigint, 63)], "1"),
        Case("greatest", [(.integer, 3), (.bigint, 7), (.integer, 5)], "7"),
        Case("least", [(.text, "b"), (.text, "a")], "a"),
        Case("greatest", [(.double, 1.0), (.double, .number(.nan))], "nan"),
        Case("greatest", [(.integer, 1), (.integer, nil)], "NULL"),
        Case(
            "greatest", [(.array(.integer), .list([1, 2])), (.array(.integer), .list([1, 3]))],
            "[1, 3]"),
    ])
    func results(_ test: Case) throws { try test.check() }

    @Test(arguments: [
        ("round(decimal)", "round", [money], LogicalType.decimal(precision: 11, scale: 0)),
        ("round digits", "round", [money, .integer], .decimal(precision: 13, scale: 2)),
        ("floor", "floor", [money], .decimal(precision: 11, scale: 0)),
        ("truncate", "truncate", [money], .decimal(precision: 10, scale: 0)),
        ("abs", "abs", [.smallint], .smallint),
        ("sign", "sign", [money], .decimal(precision: 1, scale: 0)),
    ])
    func types(_ label: String, _ name: String, _ arguments: [LogicalType], _ result: LogicalType)
        throws
    {
        let resolved = try FunctionRegistry.standard.resolveScalar(
            name, arguments.map { .value($0) })
        #expect(resolved.result == result)
    }

    @Test(arguments: [
        (QueryFault.Code.numericValueOutOfRange, Case("abs", [(.tinyint, -128)], "")),
        (.divisionByZero, Case("mod", [(.bigint, 1), (.bigint, 0)], "")),
        (.invalidFunctionArgument, Case("to_base", [(.bigint, 1), (.bigint, 99)], "")),
    ])
    func failures(_ code: QueryFault.Code, _ test: Case) throws {
        #expect {
            try evaluate(test.name, test.arguments)
        } throws: { ($0 as? QueryFault)?.code == code }
    }

    @Test func `random numbers repeat under one seed and differ between rows`() throws {
        func draw() throws -> String {
            let session = SessionValues(startMicroseconds: 0, randomSeed: 42)
            return try evaluate("random", [], session: session)
        }
        #expect(try draw() == draw())
        let value = try #require(Double(draw()))
        #expect(value >= 0 && value < 1)
    }
}
