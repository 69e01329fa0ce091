-- Staging: each booking once, with whose it is, what its merchant trades in and whether it was reported.
CREATE OR REPLACE TABLE silver.banking.stg_transactions AS
SELECT t.transaction_id,
       t.account_id,
       a.customer_id,
       t.booked_at,
       CAST(t.booked_at AS date) AS day,
       CAST(date_trunc('week', t.booked_at) AS date) AS iso_week,
       t.amount,
       t.region,
       t.channel,
       t.merchant_id,
       m.category AS merchant_category,
       coalesce(f.is_fraud, false) AS is_fraud,
       f.pattern
FROM silver.banking.transactions t
LEFT JOIN silver.banking.accounts a ON a.account_id = t.account_id
LEFT JOIN silver.banking.merchants m ON m.merchant_id = t.merchant_id
LEFT JOIN silver.banking.fraud_labels f ON f.transaction_id = t.transaction_id
