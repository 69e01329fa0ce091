{{ config(materialized='table') }}

select region, max(fraud_rate) as highest_rate, count_if(fraud_rate > 0.05) as weeks_above
from {{ source('marts', 'mart_fraud_summary') }}
group by region
having max(fraud_rate) > 0.05
