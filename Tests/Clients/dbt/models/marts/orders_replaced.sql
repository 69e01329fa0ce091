{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=['order_id', 'customer_id'],
          on_schema_change='sync_all_columns') }}
select order_id, customer_id, status
    -- day 2: , cast(amount as double) as amount
    , ordered_at -- day 1
from {{ ref('stg_orders') }}
