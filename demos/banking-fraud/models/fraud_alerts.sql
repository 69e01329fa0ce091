-- The hundred bookings with the highest anomaly scores: what the fraud desk looks at first.
CREATE OR REPLACE TABLE gold.banking.fraud_alerts AS
SELECT booked_at,
       transaction_id,
       region,
       city,
       amount,
       round(anomaly_score, 4) AS score,
       channel,
       device
FROM silver.banking.transactions
WHERE anomaly_score IS NOT NULL
ORDER BY anomaly_score DESC, transaction_id
LIMIT 100
