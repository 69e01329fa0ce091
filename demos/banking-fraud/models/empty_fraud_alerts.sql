-- The feed before the first scores.
CREATE TABLE IF NOT EXISTS gold.banking.fraud_alerts (
    booked_at timestamp(6),
    transaction_id bigint,
    region varchar,
    city varchar,
    amount decimal(12, 2),
    score double,
    channel varchar,
    device varchar
)
