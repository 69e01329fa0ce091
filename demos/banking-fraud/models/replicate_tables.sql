-- The small tables of the bank's PostgreSQL database, whole, and the one that grows, empty.
CREATE SCHEMA IF NOT EXISTS silver.banking;
CREATE OR REPLACE TABLE silver.banking.customers AS
SELECT customer_id, name, email, segment, region, city, customer_since FROM bank.core_banking.customers;
CREATE OR REPLACE TABLE silver.banking.accounts AS
SELECT account_id, customer_id, kind, opened FROM bank.core_banking.accounts;
CREATE OR REPLACE TABLE silver.banking.cards AS
SELECT card_id, account_id, card_pan, kind FROM bank.core_banking.cards;
CREATE OR REPLACE TABLE silver.banking.merchants AS
SELECT merchant_id, name, category, region, city FROM bank.core_banking.merchants;
CREATE OR REPLACE TABLE silver.banking.fraud_labels AS
SELECT transaction_id, is_fraud, pattern FROM bank.core_banking.fraud_labels;
CREATE TABLE IF NOT EXISTS silver.banking.transactions (
    transaction_id bigint, account_id bigint, card_id bigint, booked_at timestamp(6), amount decimal(12, 2),
    currency varchar, region varchar, city varchar, latitude double, longitude double, merchant_id bigint,
    channel varchar, device varchar, memo varchar, updated_at timestamp(6)
) WITH (partitioning = ARRAY['region'])
