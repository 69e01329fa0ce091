-- All late bookings, right or wrong: the gate behind this step tells them apart.
INSERT INTO silver.banking.transactions (
    transaction_id, account_id, card_id, booked_at, amount, currency, region, city, latitude, longitude,
    merchant_id, channel, device, memo, updated_at)
SELECT transaction_id, account_id, card_id, booked_at, amount, currency, region, city, latitude, longitude,
    merchant_id, channel, device, memo, updated_at
FROM bank.core_banking.late_bookings
