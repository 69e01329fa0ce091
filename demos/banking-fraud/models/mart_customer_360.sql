-- One row a customer: who it is, what it holds, what it does.
CREATE OR REPLACE TABLE gold.banking.mart_customer_360 AS
WITH holdings AS (
    SELECT a.customer_id,
           count(DISTINCT a.account_id) AS accounts,
           count(c.card_id) AS cards,
           min(a.opened) AS first_account_opened
    FROM silver.banking.accounts a
    LEFT JOIN silver.banking.cards c ON c.account_id = a.account_id
    GROUP BY a.customer_id
),
activity AS (
    SELECT customer_id,
           count(*) AS transactions,
           sum(amount) AS amount,
           max(amount) AS largest_amount,
           max(booked_at) AS last_booked_at,
           count(DISTINCT merchant_id) AS merchants,
           sum(CASE WHEN is_fraud THEN 1 ELSE 0 END) AS frauds
    FROM silver.banking.stg_transactions
    GROUP BY customer_id
)
SELECT c.customer_id,
       c.name,
       c.segment,
       c.region,
       c.city,
       c.customer_since,
       coalesce(h.accounts, 0) AS accounts,
       coalesce(h.cards, 0) AS cards,
       h.first_account_opened,
       coalesce(v.transactions, 0) AS transactions,
       coalesce(v.amount, DECIMAL '0.00') AS amount,
       v.largest_amount,
       v.last_booked_at,
       coalesce(v.merchants, 0) AS merchants,
       coalesce(v.frauds, 0) AS frauds
FROM silver.banking.customers c
LEFT JOIN holdings h ON h.customer_id = c.customer_id
LEFT JOIN activity v ON v.customer_id = c.customer_id
