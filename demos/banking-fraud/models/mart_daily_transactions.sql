-- Bookings and their sum by day (UTC) and region.
CREATE OR REPLACE TABLE gold.banking.mart_daily_transactions AS
SELECT CAST(booked_at AS date) AS day,
       region,
       count(*) AS transactions,
       sum(amount) AS amount
FROM silver.banking.transactions
GROUP BY CAST(booked_at AS date), region
