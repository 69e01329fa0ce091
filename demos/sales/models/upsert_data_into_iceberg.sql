MERGE INTO silver.sales.orders t
USING (
    SELECT
        order_id, customer_id, customer_name, country, product, quantity,
        CAST(amount AS decimal(18, 2)) AS amount, order_date, ingestion_date,
        -- As JSON, so that no two rows are written alike.
        to_hex(md5(to_utf8(json_format(CAST(ARRAY[
            CAST(order_id AS varchar), customer_id, customer_name, country, product,
            CAST(quantity AS varchar), CAST(CAST(amount AS decimal(18, 2)) AS varchar),
            CAST(order_date AS varchar), CAST(ingestion_date AS varchar)] AS JSON))))) AS row_hash,
        _source_file, _ingested_at
    FROM bronze.sales.orders
    WHERE ingestion_date >= coalesce(
        (SELECT max(watermark) FROM silver.sales._watermarks WHERE pipeline = 'sales'),
        DATE '0001-01-01')
) s
ON t.order_id = s.order_id
WHEN MATCHED AND t._row_hash <> s.row_hash THEN UPDATE SET
    customer_id = s.customer_id, customer_name = s.customer_name, country = s.country,
    product = s.product, quantity = s.quantity, amount = s.amount, order_date = s.order_date,
    ingestion_date = s.ingestion_date, _row_hash = s.row_hash, _source_file = s._source_file,
    _ingested_at = s._ingested_at
WHEN NOT MATCHED THEN INSERT (
    order_id, customer_id, customer_name, country, product, quantity, amount, order_date,
    ingestion_date, _row_hash, _source_file, _ingested_at)
VALUES (
    s.order_id, s.customer_id, s.customer_name, s.country, s.product, s.quantity, s.amount,
    s.order_date, s.ingestion_date, s.row_hash, s._source_file, s._ingested_at)
