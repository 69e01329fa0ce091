{{ config(materialized='incremental', incremental_strategy='merge', unique_key='order_id',
          on_schema_change='append_new_columns',
          properties={'format': "'PARQUET'", 'partitioning': "ARRAY['month(ordered_at)']", 'sorted_by': "ARRAY['order_id']"}) }}
select order_id, customer_id, status, amount, ordered_at
    -- day 2: , amount * 2 as doubled
from {{ ref('stg_orders') }}
