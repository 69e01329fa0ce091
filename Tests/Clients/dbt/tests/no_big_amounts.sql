{{ config(severity='warn', store_failures=true) }}
select * from {{ ref('stg_orders') }} where amount > 1000
