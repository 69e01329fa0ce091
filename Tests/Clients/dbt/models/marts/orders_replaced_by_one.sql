{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='order_id',
          incremental_predicates=["order_id < 1000"]) }}
select order_id, status from {{ ref('stg_orders') }}
