-- What the source remembers as deleted.
DELETE FROM silver.banking.transactions
WHERE transaction_id IN (SELECT transaction_id FROM bank.core_banking.deletions)
