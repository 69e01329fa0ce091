-- The share of fraudulent bookings by region and ISO week (its Monday, UTC).
CREATE OR REPLACE TABLE gold.banking.mart_fraud_summary AS
SELECT region,
       iso_week,
       count(*) AS transactions,
       sum(CASE WHEN is_fraud THEN 1 ELSE 0 END) AS frauds,
       CAST(sum(CASE WHEN is_fraud THEN 1 ELSE 0 END) AS double) / count(*) AS fraud_rate
FROM silver.banking.stg_transactions
GROUP BY region, iso_week
