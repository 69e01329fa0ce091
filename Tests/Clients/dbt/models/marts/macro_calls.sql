{{ config(on_table_exists='drop') }}
-- dbt's cross-database macros: each expression beside the value it must have.
select *
from (values
    ('dateadd', cast({{ dbt.dateadd('month', 1, "timestamp '2026-01-31 00:00:00'") }} as varchar), '2026-02-28 00:00:00'),
    ('datediff', cast({{ dbt.datediff("timestamp '2025-12-31 23:00:00'", "timestamp '2026-01-01 01:00:00'", 'year') }} as varchar), '1'),
    ('datediff week', cast({{ dbt.datediff("timestamp '2026-01-04 00:00:00'", "timestamp '2026-01-05 00:00:00'", 'week') }} as varchar), '1'),
    ('date_trunc', cast({{ dbt.date_trunc('quarter', "date '2026-05-06'") }} as varchar), '2026-04-01'),
    ('last_day', cast({{ dbt.last_day("date '2028-02-03'", 'month') }} as varchar), '2028-02-29'),
    ('split_part', {{ dbt.split_part("'a|b|c'", "'|'", 2) }}, 'b'),
    ('split_part last', {{ dbt.split_part("'a|b|c'", "'|'", -1) }}, 'c'),
    ('hash', {{ dbt.hash("'x'") }}, '9dd4e461268c8034f5c8564e155c67a6'),
    ('concat', {{ dbt.concat(["'a'", "'b'"]) }}, 'ab'),
    ('replace', {{ dbt.replace("'abc'", "'b'", "'x'") }}, 'axc'),
    ('right', {{ dbt.right("'abcdef'", 2) }}, 'ef'),
    ('position', cast({{ dbt.position("'c'", "'abc'") }} as varchar), '3'),
    ('length', cast({{ dbt.length("'abc'") }} as varchar), '3'),
    ('safe_cast', coalesce(cast({{ dbt.safe_cast("'nope'", 'integer') }} as varchar), 'null'), 'null'),
    ('bool_or', (select cast({{ dbt.bool_or('b') }} as varchar) from (values true, false) as t(b)), 'true'),
    ('any_value', (select cast({{ dbt.any_value('n') }} as varchar) from (values 4, 4) as t(n)), '4'),
    ('array', cast(cardinality({{ dbt.array_concat(dbt.array_construct([1, 2]), dbt.array_construct([3])) }}) as varchar), '3'),
    ('escape', {{ "'" ~ dbt.escape_single_quotes("it's") ~ "'" }}, 'it''s'),
    ('generate_series', (select cast(sum(generated_number) as varchar) from ({{ dbt_utils_series() }})), '55')
) as t(macro, found, wanted)
