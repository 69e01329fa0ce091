-- Bookings and their sum by day (UTC) and region.
CREATE OR REPLACE TABLE gold.banking.mart_daily_transactions AS
SELECT day,
       region,
       count(*) AS transactions,
       sum(amount) AS amount
FROM silver.banking.stg_transactions
GROUP BY day, region
