import Diagnostics
import Foundation
import SQLSyntax
import Testing

/// Everything here parses, and what the formatter writes parses to an equal tree.
@Suite struct RoundTripTests {
    static let queries = [
        "select 1", "SELECT ALL a, b AS \"B c\", t.*, (r).* AS (x, y) FROM t",
        "select distinct a from t;",
        "select 1_000, 0x1F, 0o17, 0b101, 1.5, .5, 1., 1e3, -9223372036854775808, X'00 ff', 'it''s', U&'\\0041\\+01F600'",
        "select DATE '2024-01-01', TIMESTAMP '2024-01-01 00:00:00 UTC', DECIMAL '1.5', DOUBLE '1', JSON '{}', CHAR 'x'",
        "select interval '3' day, interval - '1-6' year to month, INTERVAL '2 03:04:05.678' DAY TO SECOND",
        "select a + b * c - -d / (e % f) || g, -(-1), - (-x), +x, (a + b) * c, a - (b - c)",
        "select a = 1 or b <> 2 and not c >= 3, not (a or b), (a and b) or c, a != b",
        "select a is null, a is not null, a is distinct from b, a is not distinct from b, a is true, a is not unknown",
        "select a between 1 and 2 and b not between 3 and 4, a in (1, 2), a not in (select 1), (a, b) in (select c, d from t)",
        "select a like 'x%' escape '\\', a not like 'y', a = any (select 1), a <> all (select 1), a < some (select 1)",
        "select exists (select 1), (select 1), ((select 1) + 2), (select 1) = ((select 2))",
        "select case a when 1 then 2 else 3 end, case when a then b when c then d end",
        "select cast(a as varchar(10)), try_cast(b as decimal(12, 2)), cast(c as array(row(a bigint, b map(varchar, double))))",
        "select cast(a as timestamp(6) with time zone), cast(a as time), cast(a as double precision), cast(a as int array), cast(a as array<int>)",
        "select cast(a as interval day to second), cast(a as interval year to month), cast(a as row(bigint, timestamp with time zone, date))",
        "select a[1], m['k'][2], r.f.g, array[1, 2][1], row(1, 2), (1, 2), array[]",
        "select x -> x + 1, (x, y) -> x or y, () -> 1, transform(a, x -> transform(x, y -> y))",
        "select a at time zone 'Europe/Vienna', a at local, (a + b) at time zone z, -a at time zone 'UTC'",
        "select extract(year from a), position('a' in b), substring(a from 1 for 2), substring(a, 1), trim(a), trim(both 'x' from a), trim(leading from a), trim(a, 'x'), normalize(a, nfd)",
        "select listagg(a, ',' on overflow truncate '..' with count) within group (order by b desc), listagg(distinct a) within group (order by a)",
        "select count(*), count(distinct a), array_agg(a order by b nulls first, c desc), sum(a) filter (where b > 1)",
        "select row_number() over (partition by a order by b), lag(a, 1) ignore nulls over w, sum(x) over (w rows between 1 preceding and current row), first_value(a) respect nulls over (order by b range between interval '1' day preceding and unbounded following) from t window w as (partition by a), v as (w order by b groups unbounded preceding)",
        "select grouping(a, b) from t group by grouping sets ((a, b), a, ()), cube (a, (b, c)), rollup (a), d",
        "select a from t group by distinct a, (b, c), row(d, e) having count(*) > 1",
        "select a, count(*) from t group by auto",
        "select a from t order by 1 desc nulls last, b offset 5 rows limit 10",
        "select a from t fetch first 5 rows with ties",
        "select a from t fetch next row only", "select a from t limit all",
        "select limit, offset from t where limit = 1",
        "select * from a, b join c on a.x = c.x left join d using (x, y) cross join e natural full join f",
        "select * from a join b join c on b.x = c.x on a.x = b.x",
        "select * from (a join b on true) as c", "select * from (a, b) join c on true",
        "select * from (select 1) as t (x), lateral (select t.x), unnest(array[1], m) with ordinality as u (a, b, c)",
        "select * from ((select 1) union (select 2)) t",
        "select * from ((select 1) t join u on true)", "select * from (values 1, 2) t",
        "select * from t as s tablesample bernoulli (10)",
        "select * from a.b.c for version as of 123 as x, d for timestamp as of timestamp '2024-01-01 00:00:00' - interval '1' day",
        "select * from \"orders$files\", t@dev", "values 1, (2, 3), row(4)", "table a.b.c",
        "(select 1) union all (select 2 limit 1) order by 1",
        "select 1 union select 2 intersect select 3 except all select 4",
        "(select 1 union select 2) intersect select 3",
        "select 1 union all corresponding by (a) select 2",
        "select a from t union distinct (select b from u except select c from v)",
        "with a as (select 1), b (x, y) as (select 1, 2) select * from a, b",
        "with recursive t(n) as (values 1 union all select n + 1 from t where n < 5) select * from t",
        "with function f(x bigint) returns bigint return x + 1 select f(1)",
        "with session query_max_run_time = '1h' select 1",
        "select * from table(sequence(start => 1, stop => 5, step => 2))",
        "select * from table(c.s.f(input => table(orders) as o partition by (a, b) prune when empty order by (c desc), cols => descriptor(a, b bigint), n => cast(null as descriptor)))",
        "select * from table(exclude_columns(input => table(select * from t), columns => descriptor(a)))",
        "select json_exists(a, 'lax $.x' true on error), json_value(a, '$.x' passing b as \"B\" returning bigint default 1 on empty null on error), json_query(a format json, '$' with conditional array wrapper keep quotes empty array on empty), json_object(key 'a' value 1, 'b' : 2 absent on null with unique keys returning varchar), json_array(1, null null on null), json_object()",
        "select * from json_table(a, '$' as root columns (id for ordinality, x bigint path '$.x' default 0 on empty, j varchar format json path '$.j' with array wrapper, nested path '$.n' as n columns (y varchar)) plan (root outer n) error on error) as j",
        "select * from t match_recognize (partition by a order by b measures last(x.c) as m, count(x.*) as n all rows per match with unmatched rows after match skip to last x pattern (^ s (x | y){2,3}? {- z -} permute(p, q)+ $) subset u = (x, y) define x as x.c > prev(x.c), y as running sum(c) > 1) as mr",
        "select current_date, current_timestamp(6), localtime, localtimestamp(3), current_user, current_catalog, current_schema, current_path",
        "select date, year, row, map, user, count from t date where zone = 1 and at = 2",
        "select \"Mixed Case\", \"select\", UPPER from \"T\" as \"A b\"",
        "select coalesce(a, b), nullif(a, b), if(a, b, c), try(a / b), f(x => 1, y => 2)",
        "select a -- comment\n, /* x */ b from t",
        "select ? + ?, f(?)  from t where a in (?, ?) limit ?",
        "select unique (select 1), (a, b) overlaps (c, d)",
    ]

    static let statements = [
        "use c.s", "use s", "show catalogs like 'a%'",
        "show schemas from c like 'a\\_b' escape '\\'", "show tables in c.s", "show columns from t",
        "describe t", "desc a.b.c",
        "show create table t", "show create view v", "show create schema s",
        "show create materialized view m", "show functions like 'x%'", "show session",
        "show stats for t", "show stats for (select * from t where a > 1)",
        "create schema if not exists c.s authorization user bob with (location = 's3://b/')",
        "drop schema if exists s cascade", "alter schema s rename to s2",
        "alter schema s set authorization role admin",
        "create table if not exists t (a bigint not null comment 'x', b row(c varchar, d array(int)) with (p = 1), like u including properties, e int default 5) comment 'c' with (format = 'PARQUET', partitioning = array['day(ts)'], x = default)",
        "create or replace table t as select 1 as a",
        "create table t (a, b) comment 'x' with (format = 'ORC') as select 1, 2 with no data",
        "create table t as (select 1)", "drop table if exists a.b.c", "truncate table t",
        "alter table if exists t rename to u",
        "alter table t add column if not exists a.b int comment 'x' after c",
        "alter table t add column z varchar first", "alter table t drop column if exists a.b",
        "alter table t rename column a to b",
        "alter table t alter column a set data type bigint",
        "alter table t alter column a drop not null", "alter table t alter column a set default 1",
        "alter table t alter column a drop default",
        "alter table t set properties format_version = 2, sorted_by = default",
        "alter table t execute optimize(file_size_threshold => '10MB') where d = date '2024-01-01'",
        "alter table t execute rollback_to_snapshot(123)", "alter table t execute optimize",
        "alter table t set authorization bob",
        "create or replace view v comment 'x' security invoker as select 1",
        "drop view if exists v", "alter view v rename to w", "alter view v refresh",
        "create materialized view if not exists m grace period interval '5' minute when stale fail comment 'c' with (storage_schema = 's') as select 1",
        "create or replace materialized view m as select 1", "refresh materialized view m",
        "drop materialized view m", "alter materialized view m rename to n",
        "alter materialized view m set properties a = 1",
        "alter materialized view m execute optimize",
        "insert into t select 1", "insert into c.s.t@dev (a, b) values (1, 2), (3, 4)",
        "insert into t (select 1)", "insert into t (a) with x as (select 1) select * from x",
        "delete from t", "delete from t where a in (select 1)",
        "update t set a = a + 1, b = 'x' where c",
        "merge into t as x using (select 1 as id) s on x.id = s.id when matched and s.d then delete when matched then update set a = s.a, b = 1 when not matched then insert (id, a) values (s.id, s.a) when not matched and s.q then insert values (1, 2)",
        "prepare p from select ? where a = ?", "execute p using 1, 'x'", "execute p",
        "execute immediate 'select ''x''' using 1", "deallocate prepare p", "describe input p",
        "describe output p", "describe output (select 1)",
        "set session a.b = 'x'", "set session x = 1 + 2", "reset session a.b",
        "set time zone local", "set time zone 'Europe/Vienna'", "set time zone interval '2' hour",
        "set session authorization bob", "reset session authorization", "set path a.b, c",
        "set role all", "set role none in c", "set role r",
        "comment on table t is 'x'", "comment on view v is null",
        "comment on column a.b.c.d is 'it''s'", "explain select 1",
        "explain (type io, format json) select 1", "explain analyze verbose select 1",
        "explain analyze insert into t select 1",
        "call c.system.f(1, name => 'x')", "call f()", "start transaction",
        "start transaction isolation level read committed, read only", "commit work", "rollback",
        "analyze t with (columns = array['a'])",
        "grant select, insert on table t to user bob with grant option",
        "grant all privileges on schema s to role r", "grant create branch on t to bob",
        "revoke grant option for select on t from bob", "deny delete on t to user x",
        "create role r with admin user bob in c", "drop role if exists r",
        "grant r, q to user bob, role z with admin option granted by current_user in c",
        "revoke admin option for r from bob", "show grants on table t", "show grants", "show roles",
        "show current roles", "show role grants in c",
        "create branch if not exists b in table t from main",
        "create or replace branch b in table t", "drop branch b in table t",
        "alter branch main in table t fast forward to b", "show branches from table t",
        "create catalog if not exists c using iceberg comment 'x' with (\"iceberg.catalog.type\" = 'rest')",
        "drop catalog if exists c cascade",
        "create or replace function c.s.f(x bigint, y varchar) returns bigint language sql deterministic returns null on null input comment 'x' begin declare a, b bigint default 1; set a = x; if a > 1 then return 1; elseif a > 0 then return 2; else set b = 3; end if; top: while a < 10 do set a = a + 1; if a = 5 then iterate top; end if; if a = 7 then leave top; end if; end while; repeat set a = 1; until a > 0 end repeat; loop return 4; end loop; case a when 1 then return 5; else return 6; end case; return b; end",
        "create function f() returns int return 1",
        "create function f(x int) returns int language python with (handler = 'f') as $$def f(x): return x$$",
        "drop function if exists f(bigint, varchar)", "show create function f",
    ]

    @Test(arguments: queries + statements)
    func formattedTextParsesToAnEqualTree(text: String) throws {
        let first = try SQLParser.statement(text)
        let written = SQLFormatter.format(first)
        let second = try SQLParser.statement(written)
        #expect(first == second, "\(written)")
        #expect(SQLFormatter.format(second) == written)
        #expect(first.span.offset == 0)
    }

    @Test func everyTPCHQueryParses() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .appending(path: "SQL/tpch")
        for number in 1...22 {
            let name = "q" + (number < 10 ? "0" : "") + "\(number).sql"
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            let first = try SQLParser.statement(text)
            #expect(try SQLParser.statement(SQLFormatter.format(first)) == first, "\(name)")
        }
    }

    @Test func equalityIgnoresPlaceAndCase() throws {
        #expect(try SQLParser.expression("A + b.\"C\"") == SQLParser.expression("a  +  B.c"))
        #expect(try SQLParser.expression("a + 1") != SQLParser.expression("a + 2"))
        let left = try SQLParser.expression("F(X)")
        #expect(try left.hashValue == SQLParser.expression("f( x )").hashValue)
    }

    @Test func spansPointIntoTheText() throws {
        let query = try SQLParser.query("select a,\n  b + 1 from t")
        guard case .specification(let specification) = query.body.kind,
            case .expression(let value, _) = specification.items[1].kind
        else { Issue.record("not a specification"); return }
        #expect(value.span.line == 2)
        #expect(value.span.column == 3)
        #expect(value.span.offset == 12)
        #expect(value.span.length == 5)
    }

    @Test func precedenceIsThatOfTrino() throws {
        func same(_ left: String, _ right: String) throws -> Bool {
            try SQLParser.expression(left) == SQLParser.expression(right)
        }
        #expect(try same("a or b and c", "a or (b and c)"))
        #expect(try same("not a = b", "not (a = b)"))
        #expect(try same("a + b * c", "a + (b * c)"))
        #expect(try same("a - b - c", "(a - b) - c"))
        #expect(try same("a || b + c", "a || (b + c)"))
        #expect(try same("a between 1 and 2 or b", "(a between 1 and 2) or b"))
        #expect(try same("-a at time zone 'x'", "-(a at time zone 'x')"))
        #expect(try !same("a - (b - c)", "a - b - c"))
    }

    @Test func scriptsAreCutAtSemicolons() throws {
        #expect(try SQLParser.script(";select 1;; select ';' ; ").count == 2)
        #expect(try SQLParser.parameterCount(of: "select ?, ? from t limit ?") == 3)
    }
}
