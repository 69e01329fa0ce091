-- What the model looks at: how a booking differs from the habits of its account and device. Distance alone
-- finds half of the impossible journeys; speed since the booking before finds them all.
CREATE OR REPLACE TABLE gold.banking.fraud_features AS
WITH ordered AS (
    SELECT t.*,
           lag(booked_at) OVER (PARTITION BY account_id ORDER BY booked_at, transaction_id)
               AS previous_at,
           lag(latitude) OVER (PARTITION BY account_id ORDER BY booked_at, transaction_id)
               AS previous_latitude,
           lag(longitude) OVER (PARTITION BY account_id ORDER BY booked_at, transaction_id)
               AS previous_longitude,
           exp(avg(ln(1 + abs(CAST(amount AS double)))) OVER (PARTITION BY account_id))
               AS usual_amount,
           count(*) OVER (PARTITION BY device, date_trunc('hour', booked_at))
               AS bookings_of_device_in_hour,
           count(*) OVER (PARTITION BY account_id, device) AS bookings_with_device
    FROM silver.banking.transactions t
)
SELECT transaction_id,
       ln(1 + abs(CAST(amount AS double))) AS amount_log,
       abs(CAST(amount AS double)) / usual_amount AS times_usual,
       coalesce(least(
           great_circle_distance(latitude, longitude, previous_latitude, previous_longitude)
               / (greatest(date_diff('second', previous_at, booked_at), 60) / 3600e0),
           5000e0), 0e0) AS speed_kmh,
       CAST(if(hour(booked_at) < 6, 1, 0) AS double) AS is_night,
       CAST(bookings_of_device_in_hour AS double) AS device_burst,
       1e0 / bookings_with_device AS device_newness,
       CAST(if(amount < 0 OR amount % 50 = 0, 1, 0) AS double) AS is_round_or_refund
FROM ordered
