-- What changed at the source since the newest change that is here. Rows of that very moment are read again,
-- since more of them may have come, and left alone where they are here already.
MERGE INTO silver.banking.transactions t
USING (
    SELECT * FROM bank.core_banking.transactions
    WHERE updated_at >= coalesce(
        (SELECT max(updated_at) FROM silver.banking.transactions), TIMESTAMP '1970-01-01 00:00:00')
) s
ON t.transaction_id = s.transaction_id
WHEN MATCHED AND t.updated_at <> s.updated_at THEN UPDATE SET
    account_id = s.account_id, card_id = s.card_id, booked_at = s.booked_at, amount = s.amount,
    currency = s.currency, region = s.region, city = s.city, latitude = s.latitude,
    longitude = s.longitude, merchant_id = s.merchant_id, channel = s.channel, device = s.device,
    memo = s.memo, updated_at = s.updated_at
WHEN NOT MATCHED THEN INSERT (
    transaction_id, account_id, card_id, booked_at, amount, currency, region, city, latitude, longitude,
    merchant_id, channel, device, memo, updated_at)
VALUES (
    s.transaction_id, s.account_id, s.card_id, s.booked_at, s.amount, s.currency, s.region, s.city,
    s.latitude, s.longitude, s.merchant_id, s.channel, s.device, s.memo, s.updated_at)
