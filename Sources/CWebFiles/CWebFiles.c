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
#embed "../../web/charts.css" suffix(, ) if_empty()
    0};

static const unsigned char file_3[] = {
#embed "../../web/console.css" suffix(, ) if_empty()
    0};

static const unsigned char file_4[] = {
#embed "../../web/dashboard.js" suffix(, ) if_empty()
    0};

static const unsigned char file_5[] = {
#embed "../../web/icon.svg" suffix(, ) if_empty()
    0};

static const unsigned char file_6[] = {
#embed "../../web/sql.js" suffix(, ) if_empty()
    0};

static const struct web_file files[] = {
    {"demos/banking-fraud/dashboards/fraud-overview.yml", file_0, sizeof file_0 - 1},
    {"demos/banking-fraud/demo.yml", file_1, sizeof file_1 - 1},
    {"web/charts.css", file_2, sizeof file_2 - 1},
    {"web/console.css", file_3, sizeof file_3 - 1},
    {"web/dashboard.js", file_4, sizeof file_4 - 1},
    {"web/icon.svg", file_5, sizeof file_5 - 1},
    {"web/sql.js", file_6, sizeof file_6 - 1},
    {"", (const unsigned char *)"", 0}};

size_t web_file_count(void) { return 7; }
const struct web_file *web_file_at(size_t index) { return &files[index]; }
