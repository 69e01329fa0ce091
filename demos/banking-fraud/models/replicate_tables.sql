-- The small tables of the bank's PostgreSQL database, by what changed and what is gone, and the one that grows,
-- empty. A run that finds nothing changed writes nothing.
CREATE SCHEMA IF NOT EXISTS silver.banking;
CREATE TABLE IF NOT EXISTS silver.banking.customers (
    customer_id bigint, name varchar, email varchar, segment varchar, region varchar, city varchar,
    customer_since date, updated_at timestamp(6));
MERGE INTO silver.banking.customers t
USING bank.core_banking.customers s
ON t.customer_id = s.customer_id
WHEN MATCHED AND t.updated_at <> s.updated_at THEN UPDATE SET
    name = s.name, email = s.email, segment = s.segment, region = s.region, city = s.city,
    customer_since = s.customer_since, updated_at = s.updated_at
WHEN NOT MATCHED THEN INSERT (
    customer_id, name, email, segment, region, city, customer_since, updated_at)
VALUES (
    s.customer_id, s.name, s.email, s.segment, s.region, s.city, s.customer_since, s.updated_at);
DELETE FROM silver.banking.customers
WHERE customer_id NOT IN (SELECT customer_id FROM bank.core_banking.customers);
CREATE TABLE IF NOT EXISTS silver.banking.accounts (
    account_id bigint, customer_id bigint, kind varchar, opened date, updated_at timestamp(6));
MERGE INTO silver.banking.accounts t
USING bank.core_banking.accounts s
ON t.account_id = s.account_id
WHEN MATCHED AND t.updated_at <> s.updated_at THEN UPDATE SET
    customer_id = s.customer_id, kind = s.kind, opened = s.opened, updated_at = s.updated_at
WHEN NOT MATCHED THEN INSERT (
    account_id, customer_id, kind, opened, updated_at)
VALUES (
    s.account_id, s.customer_id, s.kind, s.opened, s.updated_at);
DELETE FROM silver.banking.accounts
WHERE account_id NOT IN (SELECT account_id FROM bank.core_banking.accounts);
CREATE TABLE IF NOT EXISTS silver.banking.cards (
    card_id bigint, account_id bigint, card_pan varchar, kind varchar, updated_at timestamp(6));
MERGE INTO silver.banking.cards t
USING bank.core_banking.cards s
ON t.card_id = s.card_id
WHEN MATCHED AND t.updated_at <> s.updated_at THEN UPDATE SET
    account_id = s.account_id, card_pan = s.card_pan, kind = s.kind, updated_at = s.updated_at
WHEN NOT MATCHED THEN INSERT (
    card_id, account_id, card_pan, kind, updated_at)
VALUES (
    s.card_id, s.account_id, s.card_pan, s.kind, s.updated_at);
DELETE FROM silver.banking.cards
WHERE card_id NOT IN (SELECT card_id FROM bank.core_banking.cards);
CREATE TABLE IF NOT EXISTS silver.banking.merchants (
    merchant_id bigint, name varchar, category varchar, region varchar, city varchar, updated_at
    timestamp(6));
MERGE INTO silver.banking.merchants t
USING bank.core_banking.merchants s
ON t.merchant_id = s.merchant_id
WHEN MATCHED AND t.updated_at <> s.updated_at THEN UPDATE SET
    name = s.name, category = s.category, region = s.region, city = s.city, updated_at =
    s.updated_at
WHEN NOT MATCHED THEN INSERT (
    merchant_id, name, category, region, city, updated_at)
VALUES (
    s.merchant_id, s.name, s.category, s.region, s.city, s.updated_at);
DELETE FROM silver.banking.merchants
WHERE merchant_id NOT IN (SELECT merchant_id FROM bank.core_banking.merchants);
CREATE TABLE IF NOT EXISTS silver.banking.fraud_labels (
    transaction_id bigint, is_fraud boolean, pattern varchar, updated_at timestamp(6));
MERGE INTO silver.banking.fraud_labels t
USING bank.core_banking.fraud_labels s
ON t.transaction_id = s.transaction_id
WHEN MATCHED AND t.updated_at <> s.updated_at THEN UPDATE SET
    is_fraud = s.is_fraud, pattern = s.pattern, updated_at = s.updated_at
WHEN NOT MATCHED THEN INSERT (
    transaction_id, is_fraud, pattern, updated_at)
VALUES (
    s.transaction_id, s.is_fraud, s.pattern, s.updated_at);
DELETE FROM silver.banking.fraud_labels
WHERE transaction_id IN (SELECT transaction_id FROM bank.core_banking.deletions);
CREATE TABLE IF NOT EXISTS silver.banking.transactions (
    transaction_id bigint, account_id bigint, card_id bigint, booked_at timestamp(6), amount decimal(12, 2),
    currency varchar, region varchar, city varchar, latitude double, longitude double, merchant_id bigint,
    channel varchar, device varchar, memo varchar, updated_at timestamp(6)
) WITH (partitioning = ARRAY['region'])
