-- depends_on: {{ ref('orders_merged') }}
{{ config(materialized='incremental', incremental_strategy='append', views_enabled=false) }}
select order_id, status, {{ dbt.current_timestamp() }} as loaded_at
from {{ ref('stg_orders') }}
{% if is_incremental() %}
where ordered_at > (select max(ordered_at) from {{ ref('orders_merged') }} where order_id < 2)
{% endif %}
