select order_id, customer_id, status, amount, ordered_at, cast(ordered_at as date) as ordered_on
from {{ source('till', 'orders') }}
where day = (select max(day) from {{ source('till', 'today') }})
