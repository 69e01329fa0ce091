import SQLFunctions
import Testing
import Vectors

/// Types as text, implicit coercions, decimal rules and the choice among overloads.
struct TypingTests {
    @Test(
        "a type's text reads back as the type",
        arguments: [
            "boolean", "tinyint", "bigint", "real", "double", "decimal(12,2)", "varchar",
            "varchar(10)",
            "char(3)", "varbinary", "json", "date", "time(6)", "time(3) with time zone",
            "timestamp(12)",
            "timestamp(6) with time zone", "interval year to month", "interval day to second",
            "uuid",
            "array(array(bigint))", "map(varchar, row(a bigint, \"B c\" date))",
            "row(bigint, varchar)",
        ])
    func roundTrip(_ text: String) throws {
        let type = try #require(LogicalType(parsing: text))
        #expect(type.description == text)
    }

    @Test(
        "other spellings",
        arguments: [
            ("int", LogicalType.integer), ("INTEGER", .integer), ("array<int>", .array(.integer)),
            ("int array", .array(.integer)),
            ("map<varchar, double precision>", .map(key: .text, value: .double)),
            ("timestamp", .timestamp(precision: 3)), ("decimal", .decimal(precision: 38, scale: 0)),
            ("timestamp with time zone", .timestampWithTimeZone(precision: 3)),
        ])
    func spellings(_ text: String, _ type: LogicalType) {
        #expect(LogicalType(parsing: text) == type)
    }

    @Test(
        "what is no type",
        arguments: [
            "", "decimal(39,0)", "decimal(5,6)", "array()", "map(int)", "row()", "timestamp(13)",
            "nosuch",
            "varchar(10", "bigint bigint", String(repeating: "array(", count: 500),
        ])
    func noType(_ text: String) { #expect(LogicalType(parsing: text) == nil) }

    @Test(
        "the common type of two",
        arguments: [
            (LogicalType.integer, LogicalType.bigint, LogicalType.bigint as LogicalType?),
            (.integer, .decimal(precision: 5, scale: 2), .decimal(precision: 12, scale: 2)),
            (.bigint, .real, .real), (.decimal(precision: 38, scale: 0), .double, .double),
            (
                .decimal(precision: 10, scale: 4), .decimal(precision: 8, scale: 1),
                .decimal(precision: 11, scale: 4)
            ),
            (.varchar(length: 3), .varchar(length: 7), .varchar(length: 7)),
            (.varchar(length: 3), .text, .text),
            (.date, .timestamp(precision: 6), .timestamp(precision: 6)),
            (
                .timestamp(precision: 6), .timestampWithTimeZone(precision: 3),
                .timestampWithTimeZone(precision: 6)
            ),
            (.unknown, .uuid, .uuid), (.array(.integer), .array(.double), .array(.double)),
            (.text, .integer, nil),
            (.date, .text, nil), (.boolean, .integer, nil), (.array(.date), .array(.integer), nil),
        ])
    func common(_ one: LogicalType, _ other: LogicalType, _ result: LogicalType?) {
        #expect(LogicalType.commonSuperType(one, other) == result)
        #expect(LogicalType.commonSuperType(other, one) == result)
    }

    @Test("decimal arithmetic has Trino's types")
    func decimals() {
        #expect(DecimalRules.sum((15, 2), (10, 0)) == .decimal(precision: 16, scale: 2))
        #expect(DecimalRules.product((15, 2), (13, 2)) == .decimal(precision: 28, scale: 4))
        #expect(DecimalRules.product((38, 20), (38, 20)) == nil)
        #expect(DecimalRules.quotient((5, 2), (4, 3)) == .decimal(precision: 9, scale: 3))
        #expect(DecimalRules.remainder((5, 2), (10, 0)) == .decimal(precision: 5, scale: 2))
    }

    private let registry: FunctionRegistry = {
        func fixed(_ name: String, _ type: LogicalType) -> ScalarFunction {
            ScalarFunction(
                name: name, signature: .fixed([type], result: type), summary: "", example: "",
                kernel: { _ in })
        }
        return FunctionRegistry(
            scalars: [
                fixed("abs", .bigint), fixed("abs", .double), fixed("abs", .integer),
                fixed("lower", .text),
            ],
            aggregates: FunctionRegistry.standard.allAggregates)
    }()

    @Test("the overload that changes least is chosen")
    func overloads() throws {
        func result(_ type: LogicalType) throws -> LogicalType {
            try registry.resolveScalar("abs", [.value(type)]).result
        }
        #expect(try result(.integer) == .integer)
        #expect(try result(.smallint) == .integer)
        #expect(try result(.bigint) == .bigint)
        #expect(try result(.real) == .double)
        #expect(try registry.resolveScalar("lower", [.value(.varchar(length: 3))]).result == .text)
    }

    @Test("faults name what was given and what is expected")
    func faults() {
        do throws(QueryFault) {
            _ = try registry.resolveScalar("abs", [.value(.varchar(length: 3))])
            Issue.record("no fault")
        } catch {
            #expect(error.code == .functionNotFound)
            #expect(
                error.message
                    == "Unexpected parameters (varchar(3)) for function abs. Expected: abs(bigint), abs(double), abs(integer)"
            )
        }
        do throws(QueryFault) {
            _ = try registry.resolveScalar("lowr", [])
            Issue.record("no fault")
        } catch {
            #expect(error.message == "Function 'lowr' not registered")
            #expect(error.hint == "did you mean lower?")
        }
    }

    @Test(
        "aggregates have Trino's result types",
        arguments: [
            ("sum", LogicalType.integer, LogicalType.bigint),
            ("sum", .decimal(precision: 15, scale: 2), .decimal(precision: 38, scale: 2)),
            ("sum", .real, .real),
            ("avg", .integer, .double),
            ("avg", .decimal(precision: 15, scale: 2), .decimal(precision: 15, scale: 2)),
            ("count", .text, .bigint), ("min", .date, .date), ("array_agg", .date, .array(.date)),
            ("histogram", .text, .map(key: .text, value: .bigint)), ("stddev", .integer, .double),
            ("arbitrary", .uuid, .uuid), ("every", .boolean, .boolean),
            ("first_value", .date, .date),
        ])
    func aggregates(_ name: String, _ argument: LogicalType, _ result: LogicalType) throws {
        #expect(try FunctionRegistry.standard.resolveAggregate(name, [argument]).result == result)
    }

    @Test("lag widens its value and its default to one type")
    func lag() throws {
        let resolved = try FunctionRegistry.standard.resolveAggregate(
            "lag", [.integer, .integer, .bigint])
        #expect(resolved.parameters == [.bigint, .bigint, .bigint])
    }
}
