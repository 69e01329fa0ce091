"""A wide table of events in ClickBench's style: five million rows, 25 columns, made by DuckDB from hashes alone.

The same on every machine: nothing here is random. Skewed ids, URLs with few hosts and many paths, flags, texts
that are mostly empty, timestamps over a month.
"""

ROWS = 5_000_000

# h(n): a number from 0 to 2^64 that depends on the row and on a salt; squares of a uniform number are skewed.
MAKE = """
COPY (
  WITH base AS (
    SELECT range AS i, hash(range * 2 + 1) AS h1, hash(range * 3 + 7) AS h2, hash(range * 5 + 11) AS h3,
           hash(range * 7 + 13) AS h4 FROM range({rows})),
  shaped AS (
    SELECT *, (h1 % 1000003) / 1000003.0 AS u1, (h2 % 1000003) / 1000003.0 AS u2,
           (h3 % 1000003) / 1000003.0 AS u3, (h4 % 1000003) / 1000003.0 AS u4 FROM base)
  SELECT
    i::BIGINT AS watch_id,
    (1 + u1 * u1 * u1 * 900000)::BIGINT AS user_id,
    (u2 * u2 * 6000)::INTEGER AS counter_id,
    TIMESTAMP '2026-03-01' + to_microseconds((i * 535680 + (h3 % 1000000))::BIGINT) AS event_time,
    DATE '2026-03-01' + (i * 535680 // 86400000000)::INTEGER AS event_date,
    (h1 % 240)::INTEGER AS region_id,
    (h2 % 90)::SMALLINT AS os,
    (h3 % 60)::SMALLINT AS browser,
    (h1 % 20 < 3)::BOOLEAN AS is_mobile,
    CASE WHEN h1 % 20 < 3 THEN 'phone ' || (h4 % 170) ELSE '' END AS mobile_model,
    (h2 % 100 < 4)::BOOLEAN AS is_refresh,
    ['1024x768','1366x768','1440x900','1536x864','1920x1080','2560x1440'][1 + (h3 % 6)::INTEGER] AS resolution,
    (320 + h4 % 2240)::SMALLINT AS width,
    (240 + h3 % 1200)::SMALLINT AS height,
    CASE WHEN h2 % 10 < 8 THEN '' ELSE 'phrase ' || (u3 * u3 * u3 * 400000)::BIGINT END AS search_phrase,
    (h4 % 5)::SMALLINT AS search_engine,
    'https://' || ['shop','news','mail','video','maps'][1 + (h1 % 5)::INTEGER] || '.example/' ||
      (u4 * u4 * 90000)::BIGINT || '/page-' || (h2 % 700) AS url,
    CASE WHEN h4 % 3 = 0 THEN '' ELSE 'https://ref' || (u2 * u2 * 3000)::BIGINT || '.example/' || (h1 % 50) END AS referer,
    'Title ' || (u1 * u1 * 200000)::BIGINT || ' of ' || ['a day','the week','spring','nothing'][1 + (h3 % 4)::INTEGER] AS title,
    (u3 * u3 * 60000)::INTEGER AS duration_ms,
    (u4 * 1000)::DECIMAL(12,2) AS price,
    CASE WHEN h3 % 50 = 0 THEN NULL ELSE u2 * 100 END::DOUBLE AS score,
    (h1 % 65536)::INTEGER AS ip_hash,
    ['direct','search','social','ad','mail'][1 + (h4 % 5)::INTEGER] AS source,
    (h2 % 3)::SMALLINT AS age_group
  FROM shaped
) TO '{file}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 200000)
"""

QUERIES = [
    "SELECT count(*) FROM hits",
    "SELECT count(*) FROM hits WHERE search_engine <> 0",
    "SELECT sum(duration_ms), count(*), avg(width) FROM hits",
    "SELECT avg(CAST(user_id AS double)) FROM hits",
    "SELECT count(DISTINCT user_id) FROM hits",
    "SELECT count(DISTINCT search_phrase) FROM hits",
    "SELECT min(event_date), max(event_date) FROM hits",
    "SELECT search_engine, count(*) FROM hits WHERE search_engine <> 0 GROUP BY 1 ORDER BY 2 DESC, 1",
    "SELECT region_id, count(DISTINCT user_id) AS u FROM hits GROUP BY 1 ORDER BY u DESC, 1 LIMIT 10",
    "SELECT region_id, sum(duration_ms), count(*) AS c, avg(width), count(DISTINCT user_id) FROM hits GROUP BY 1 ORDER BY c DESC, 1 LIMIT 10",
    "SELECT mobile_model, count(DISTINCT user_id) AS u FROM hits WHERE mobile_model <> '' GROUP BY 1 ORDER BY u DESC, 1 LIMIT 10",
    "SELECT search_phrase, count(*) AS c FROM hits WHERE search_phrase <> '' GROUP BY 1 ORDER BY c DESC, 1 LIMIT 10",
    "SELECT search_engine, search_phrase, count(*) AS c FROM hits WHERE search_phrase <> '' GROUP BY 1, 2 ORDER BY c DESC, 1, 2 LIMIT 10",
    "SELECT user_id, count(*) AS c FROM hits GROUP BY 1 ORDER BY c DESC, 1 LIMIT 10",
    "SELECT user_id, search_phrase, count(*) AS c FROM hits GROUP BY 1, 2 ORDER BY c DESC, 1, 2 LIMIT 10",
    "SELECT user_id, extract(minute FROM event_time) AS m, search_phrase, count(*) AS c FROM hits GROUP BY 1, 2, 3 ORDER BY c DESC, 1, 2, 3 LIMIT 10",
    "SELECT user_id FROM hits WHERE user_id = 435090",
    "SELECT count(*) FROM hits WHERE url LIKE '%maps%9/page-7%'",
    "SELECT search_phrase, min(url), count(*) AS c FROM hits WHERE url LIKE '%mail%' AND search_phrase <> '' GROUP BY 1 ORDER BY c DESC, 1 LIMIT 10",
    "SELECT * FROM hits WHERE url LIKE '%/77/%' ORDER BY event_time, watch_id LIMIT 10",
    "SELECT search_phrase FROM hits WHERE search_phrase <> '' ORDER BY event_time, watch_id LIMIT 10",
    "SELECT counter_id, avg(length(url)) AS l, count(*) AS c FROM hits WHERE url <> '' GROUP BY 1 HAVING count(*) > 1000 ORDER BY l DESC, 1 LIMIT 25",
    "SELECT sum(width), sum(width + 1), sum(width + 2), sum(width + 3), sum(width + 4), sum(width + 5) FROM hits",
    "SELECT ip_hash, source, count(*) AS c, sum(CASE WHEN is_refresh THEN 1 ELSE 0 END), avg(width) FROM hits GROUP BY 1, 2 ORDER BY c DESC, 1, 2 LIMIT 10",
    "SELECT url, count(*) AS c FROM hits GROUP BY 1 ORDER BY c DESC, 1 LIMIT 10",
    "SELECT title, count(*) AS v FROM hits WHERE counter_id = 62 AND event_date BETWEEN DATE '2026-03-01' AND DATE '2026-03-31' AND NOT is_refresh AND title <> '' GROUP BY 1 ORDER BY v DESC, 1 LIMIT 10",
    "SELECT date_trunc('minute', event_time) AS m, count(*) FROM hits WHERE counter_id = 62 AND event_date BETWEEN DATE '2026-03-14' AND DATE '2026-03-15' GROUP BY 1 ORDER BY 1 LIMIT 10 ",
    "SELECT os, browser, resolution, count(*), sum(price), max(score) FROM hits GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 20",
]


# Of lineitem.
SCANS = {
    "sum of every number": "SELECT sum(l_orderkey), sum(l_partkey), sum(l_suppkey), sum(l_linenumber), sum(l_quantity), "
    "sum(l_extendedprice), sum(l_discount), sum(l_tax) FROM lineitem",
    "a filter that prunes": "SELECT count(*) FROM lineitem WHERE l_orderkey BETWEEN 100000 AND 110000",
    "a filter that cannot": "SELECT count(*) FROM lineitem WHERE l_partkey % 1000 = 7",
    "the first rows of many": "SELECT * FROM lineitem ORDER BY l_extendedprice DESC, l_orderkey, l_linenumber LIMIT 100",
    "the greatest of the texts": "SELECT max(l_comment), max(l_shipinstruct), max(l_shipmode), max(l_returnflag), "
    "max(l_linestatus) FROM lineitem",
}


def wide_file(folder):
    import duckdb

    file = folder / "hits.parquet"
    if not (folder / "made").exists():
        folder.mkdir(parents=True, exist_ok=True)
        duckdb.connect().execute(MAKE.format(rows=ROWS, file=file))
        (folder / "made").touch()
    return file
