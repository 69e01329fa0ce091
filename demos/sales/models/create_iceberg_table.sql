CREATE TABLE IF NOT EXISTS silver.sales.orders (
    order_id bigint,
    customer_id varchar,
    customer_name varchar,
    country varchar,
    product varchar,
    quantity bigint,
    amount decimal(18, 2),
    order_date date,
    ingestion_date date,
    _row_hash varchar,
    _source_file varchar,
    _ingested_at timestamp(6)
) WITH (format = 'PARQUET', partitioning = ARRAY['ingestion_date']);

CREATE TABLE IF NOT EXISTS silver.sales._watermarks (
    pipeline varchar,
    watermark date,
    updated_at timestamp(6)
);
