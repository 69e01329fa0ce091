{{ config(materialized='table', on_table_exists='replace', post_hook=["analyze {{ this }}"]) }}
select c.city, count(*) as orders, sum(o.amount) as amount, max(o.ordered_at) as latest,
    {{ dbt.listagg('o.status', "', '", 'order by o.order_id') }} as statuses
from {{ ref('stg_orders') }} o
left join {{ ref('stg_customers') }} c on o.customer_id = c.customer_id
group by c.city
