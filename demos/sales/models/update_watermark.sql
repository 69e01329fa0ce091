MERGE INTO silver.sales._watermarks w
USING (SELECT 'sales' AS pipeline, max(ingestion_date) AS watermark FROM silver.sales.orders) s
ON w.pipeline = s.pipeline
WHEN MATCHED AND s.watermark > w.watermark THEN UPDATE SET
    watermark = s.watermark, updated_at = localtimestamp
WHEN NOT MATCHED THEN INSERT (pipeline, watermark, updated_at)
VALUES (s.pipeline, s.watermark, localtimestamp)
