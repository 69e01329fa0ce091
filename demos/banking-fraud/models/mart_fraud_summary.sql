-- The share of fraudulent bookings by region and ISO week (its Monday, UTC).
CREATE OR REPLACE TABLE gold.banking.mart_fraud_summary AS
WITH bookings AS (
    SELECT t.region,
           CAST(date_trunc('week', t.booked_at) AS date) AS iso_week,
           coalesce(f.is_fraud, false) AS is_fraud
    FROM silver.banking.transactions t
    LEFT JOIN silver.banking.fraud_labels f ON f.transaction_id = t.transaction_id
)
SELECT region,
       iso_week,
       count(*) AS transactions,
       sum(CASE WHEN is_fraud THEN 1 ELSE 0 END) AS frauds,
       CAST(sum(CASE WHEN is_fraud THEN 1 ELSE 0 END) AS double) / count(*) AS fraud_rate
FROM bookings
GROUP BY region, iso_week
