{% test dbt_finds_what_it_wants(model) %}
select * from {{ model }} where found is distinct from wanted
{% endtest %}
