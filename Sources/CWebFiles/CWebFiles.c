// Written by `make web-list`: every file below web/, seeds/ and demos/. The compiler embeds the bytes
// (C23), so that a changed page is a rebuild of this file alone.
#include "CWebFiles.h"
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char file_0[] = {
#embed "../../demos/banking-fraud/dashboards/fraud-overview.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_1[] = {
#embed "../../demos/banking-fraud/dbt/dbt_project.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_2[] = {
#embed "../../demos/banking-fraud/dbt/models/regions_to_watch.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_3[] = {
#embed "../../demos/banking-fraud/dbt/models/sources.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_4[] = {
#embed "../../demos/banking-fraud/demo.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_5[] = {
#embed "../../demos/banking-fraud/metrics.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_6[] = {
#embed "../../demos/banking-fraud/models/empty_fraud_alerts.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_7[] = {
#embed "../../demos/banking-fraud/models/fraud_alerts.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_8[] = {
#embed "../../demos/banking-fraud/models/fraud_features.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_9[] = {
#embed "../../demos/banking-fraud/models/load_late_bookings.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_10[] = {
#embed "../../demos/banking-fraud/models/mart_customer_360.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_11[] = {
#embed "../../demos/banking-fraud/models/mart_daily_transactions.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_12[] = {
#embed "../../demos/banking-fraud/models/mart_fraud_summary.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_13[] = {
#embed "../../demos/banking-fraud/models/replicate_deletions.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_14[] = {
#embed "../../demos/banking-fraud/models/replicate_tables.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_15[] = {
#embed "../../demos/banking-fraud/models/replicate_transactions.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_16[] = {
#embed "../../demos/banking-fraud/models/stg_transactions.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_17[] = {
#embed "../../demos/banking-fraud/pipelines/alerts.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_18[] = {
#embed "../../demos/banking-fraud/pipelines/features.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_19[] = {
#embed "../../demos/banking-fraud/pipelines/late-bookings.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_20[] = {
#embed "../../demos/banking-fraud/pipelines/marts.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_21[] = {
#embed "../../demos/banking-fraud/pipelines/replicate.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_22[] = {
#embed "../../demos/banking-fraud/postgres/late-bookings.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_23[] = {
#embed "../../demos/banking-fraud/postgres/replicate.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_24[] = {
#embed "../../demos/banking-fraud/verify.py" suffix(, ) if_empty()
    0};

static const unsigned char file_25[] = {
#embed "../../demos/sales/checks/orders.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_26[] = {
#embed "../../demos/sales/dashboards/sales-lakehouse.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_27[] = {
#embed "../../demos/sales/demo.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_28[] = {
#embed "../../demos/sales/models/create_iceberg_table.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_29[] = {
#embed "../../demos/sales/models/update_watermark.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_30[] = {
#embed "../../demos/sales/models/upsert_data_into_iceberg.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_31[] = {
#embed "../../demos/sales/pipelines/days.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_32[] = {
#embed "../../demos/sales/pipelines/sales.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_33[] = {
#embed "../../demos/sales/pipelines/uploads.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_34[] = {
#embed "../../seeds/dashboards/operations.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_35[] = {
#embed "../../seeds/pipelines/landing.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_36[] = {
#embed "../../seeds/pipelines/maintenance.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_37[] = {
#embed "../../web/charts.css" suffix(, ) if_empty()
    0};

static const unsigned char file_38[] = {
#embed "../../web/console.css" suffix(, ) if_empty()
    0};

static const unsigned char file_39[] = {
#embed "../../web/dashboard.js" suffix(, ) if_empty()
    0};

static const unsigned char file_40[] = {
#embed "../../web/icon.svg" suffix(, ) if_empty()
    0};

static const unsigned char file_41[] = {
#embed "../../web/sql.js" suffix(, ) if_empty()
    0};

static const unsigned char file_42[] = {
#embed "../../web/storage.js" suffix(, ) if_empty()
    0};

static const struct web_file files[] = {
    {"demos/banking-fraud/dashboards/fraud-overview.yml", file_0, sizeof file_0 - 1},
    {"demos/banking-fraud/dbt/dbt_project.yml", file_1, sizeof file_1 - 1},
    {"demos/banking-fraud/dbt/models/regions_to_watch.sql", file_2, sizeof file_2 - 1},
    {"demos/banking-fraud/dbt/models/sources.yml", file_3, sizeof file_3 - 1},
    {"demos/banking-fraud/demo.yml", file_4, sizeof file_4 - 1},
    {"demos/banking-fraud/metrics.yml", file_5, sizeof file_5 - 1},
    {"demos/banking-fraud/models/empty_fraud_alerts.sql", file_6, sizeof file_6 - 1},
    {"demos/banking-fraud/models/fraud_alerts.sql", file_7, sizeof file_7 - 1},
    {"demos/banking-fraud/models/fraud_features.sql", file_8, sizeof file_8 - 1},
    {"demos/banking-fraud/models/load_late_bookings.sql", file_9, sizeof file_9 - 1},
    {"demos/banking-fraud/models/mart_customer_360.sql", file_10, sizeof file_10 - 1},
    {"demos/banking-fraud/models/mart_daily_transactions.sql", file_11, sizeof file_11 - 1},
    {"demos/banking-fraud/models/mart_fraud_summary.sql", file_12, sizeof file_12 - 1},
    {"demos/banking-fraud/models/replicate_deletions.sql", file_13, sizeof file_13 - 1},
    {"demos/banking-fraud/models/replicate_tables.sql", file_14, sizeof file_14 - 1},
    {"demos/banking-fraud/models/replicate_transactions.sql", file_15, sizeof file_15 - 1},
    {"demos/banking-fraud/models/stg_transactions.sql", file_16, sizeof file_16 - 1},
    {"demos/banking-fraud/pipelines/alerts.yml", file_17, sizeof file_17 - 1},
    {"demos/banking-fraud/pipelines/features.yml", file_18, sizeof file_18 - 1},
    {"demos/banking-fraud/pipelines/late-bookings.yml", file_19, sizeof file_19 - 1},
    {"demos/banking-fraud/pipelines/marts.yml", file_20, sizeof file_20 - 1},
    {"demos/banking-fraud/pipelines/replicate.yml", file_21, sizeof file_21 - 1},
    {"demos/banking-fraud/postgres/late-bookings.yml", file_22, sizeof file_22 - 1},
    {"demos/banking-fraud/postgres/replicate.yml", file_23, sizeof file_23 - 1},
    {"demos/banking-fraud/verify.py", file_24, sizeof file_24 - 1},
    {"demos/sales/checks/orders.yml", file_25, sizeof file_25 - 1},
    {"demos/sales/dashboards/sales-lakehouse.yml", file_26, sizeof file_26 - 1},
    {"demos/sales/demo.yml", file_27, sizeof file_27 - 1},
    {"demos/sales/models/create_iceberg_table.sql", file_28, sizeof file_28 - 1},
    {"demos/sales/models/update_watermark.sql", file_29, sizeof file_29 - 1},
    {"demos/sales/models/upsert_data_into_iceberg.sql", file_30, sizeof file_30 - 1},
    {"demos/sales/pipelines/days.yml", file_31, sizeof file_31 - 1},
    {"demos/sales/pipelines/sales.yml", file_32, sizeof file_32 - 1},
    {"demos/sales/pipelines/uploads.yml", file_33, sizeof file_33 - 1},
    {"seeds/dashboards/operations.yml", file_34, sizeof file_34 - 1},
    {"seeds/pipelines/landing.yml", file_35, sizeof file_35 - 1},
    {"seeds/pipelines/maintenance.yml", file_36, sizeof file_36 - 1},
    {"web/charts.css", file_37, sizeof file_37 - 1},
    {"web/console.css", file_38, sizeof file_38 - 1},
    {"web/dashboard.js", file_39, sizeof file_39 - 1},
    {"web/icon.svg", file_40, sizeof file_40 - 1},
    {"web/sql.js", file_41, sizeof file_41 - 1},
    {"web/storage.js", file_42, sizeof file_42 - 1},
    {"", (const unsigned char *)"", 0}};

size_t web_file_count(void) { return 43; }
const struct web_file *web_file_at(size_t index) { return &files[index]; }
