// Written by `make web-list`: every file below web/, seeds/ and demos/. The compiler embeds the bytes
// (C23), so that a changed page is a rebuild of this file alone.
#include "CWebFiles.h"
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char file_0[] = {
#embed "../../demos/banking-fraud/dashboards/fraud-overview.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_1[] = {
#embed "../../demos/banking-fraud/demo.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_2[] = {
#embed "../../demos/banking-fraud/metrics.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_3[] = {
#embed "../../demos/banking-fraud/models/fraud_features.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_4[] = {
#embed "../../demos/banking-fraud/models/mart_customer_360.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_5[] = {
#embed "../../demos/banking-fraud/models/mart_daily_transactions.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_6[] = {
#embed "../../demos/banking-fraud/models/mart_fraud_summary.sql" suffix(, ) if_empty()
    0};

static const unsigned char file_7[] = {
#embed "../../demos/banking-fraud/pipelines/features.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_8[] = {
#embed "../../demos/banking-fraud/pipelines/late-bookings.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_9[] = {
#embed "../../demos/banking-fraud/pipelines/marts.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_10[] = {
#embed "../../demos/banking-fraud/pipelines/replicate.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_11[] = {
#embed "../../demos/banking-fraud/verify.py" suffix(, ) if_empty()
    0};

static const unsigned char file_12[] = {
#embed "../../seeds/pipelines/landing.yml" suffix(, ) if_empty()
    0};

static const unsigned char file_13[] = {
#embed "../../web/charts.css" suffix(, ) if_empty()
    0};

static const unsigned char file_14[] = {
#embed "../../web/console.css" suffix(, ) if_empty()
    0};

static const unsigned char file_15[] = {
#embed "../../web/dashboard.js" suffix(, ) if_empty()
    0};

static const unsigned char file_16[] = {
#embed "../../web/icon.svg" suffix(, ) if_empty()
    0};

static const unsigned char file_17[] = {
#embed "../../web/sql.js" suffix(, ) if_empty()
    0};

static const struct web_file files[] = {
    {"demos/banking-fraud/dashboards/fraud-overview.yml", file_0, sizeof file_0 - 1},
    {"demos/banking-fraud/demo.yml", file_1, sizeof file_1 - 1},
    {"demos/banking-fraud/metrics.yml", file_2, sizeof file_2 - 1},
    {"demos/banking-fraud/models/fraud_features.sql", file_3, sizeof file_3 - 1},
    {"demos/banking-fraud/models/mart_customer_360.sql", file_4, sizeof file_4 - 1},
    {"demos/banking-fraud/models/mart_daily_transactions.sql", file_5, sizeof file_5 - 1},
    {"demos/banking-fraud/models/mart_fraud_summary.sql", file_6, sizeof file_6 - 1},
    {"demos/banking-fraud/pipelines/features.yml", file_7, sizeof file_7 - 1},
    {"demos/banking-fraud/pipelines/late-bookings.yml", file_8, sizeof file_8 - 1},
    {"demos/banking-fraud/pipelines/marts.yml", file_9, sizeof file_9 - 1},
    {"demos/banking-fraud/pipelines/replicate.yml", file_10, sizeof file_10 - 1},
    {"demos/banking-fraud/verify.py", file_11, sizeof file_11 - 1},
    {"seeds/pipelines/landing.yml", file_12, sizeof file_12 - 1},
    {"web/charts.css", file_13, sizeof file_13 - 1},
    {"web/console.css", file_14, sizeof file_14 - 1},
    {"web/dashboard.js", file_15, sizeof file_15 - 1},
    {"web/icon.svg", file_16, sizeof file_16 - 1},
    {"web/sql.js", file_17, sizeof file_17 - 1},
    {"", (const unsigned char *)"", 0}};

size_t web_file_count(void) { return 18; }
const struct web_file *web_file_at(size_t index) { return &files[index]; }
