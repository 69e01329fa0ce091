import SQLSyntax
import Testing

/// Every form that can stand inside of itself ends with a fault and not with the stack.
@Suite struct NestingTests {
    @Test(arguments: [
        "select (", "select 1 + (", "select position(", "select position('a' in ", "select - ",
        "select not ", "select a(", "select a() over (rows ", "select a() over (order by ",
        "select a() over (range between 1 preceding and ", "select a() filter (where ",
        "select case when ", "select case ", "select cast(", "select try_cast(", "select array[",
        "select row(", "select x -> ", "select a[", "select a in (", "select exists (select ",
        "select extract(year from ", "select substring(", "select trim(", "select trim(both ",
        "select a between ", "select a like ", "select a at time zone ", "select interval ",
        "select grouping(", "select json_value(", "select json_object(", "select json_array(",
        "select listagg(", "select count(distinct ", "select a.b(", "select try(", "select if(",
        "select * from (", "select * from a join (", "select * from unnest(",
        "select * from lateral (", "select * from table(", "select * from a for version as of ",
        "select * from a tablesample bernoulli (", "with a as (", "values (", "select (select ",
        "explain ", "explain analyze ", "select cast(a as array(", "select cast(a as row(b ",
        "select * from a match_recognize (pattern (", "select 1 union (", "create table a as (",
    ])
    func aFormInsideOfItselfEndsWithAFault(opening: String) {
        // The first word or two are the statement's; the rest is repeated.
        let rest =
            opening.hasPrefix("select ") && !opening.contains(" from ")
            ? String(opening.dropFirst("select ".count)) : opening
        for text in [
            opening + String(repeating: rest, count: 20_000),
            String(repeating: opening, count: 20_000),
        ] {
            #expect(throws: SQLSyntaxError.self) { try SQLParser.statement(text) }
        }
    }

    @Test func positionAndFrameBoundsCountAsLevels() {
        for text in [
            "select " + String(repeating: "position(", count: 500),
            "select " + String(repeating: "a() over (rows ", count: 500),
        ] {
            let fault = #expect(throws: SQLSyntaxError.self) { try SQLParser.statement(text) }
            #expect(fault?.code == .limitExceeded)
        }
    }
}
