{{ config(view_security='invoker') }}
select customer_id, name, nullif(city, '') as city, since
from {{ source('till', 'customers') }}
where day = (select max(day) from {{ source('till', 'today') }})
