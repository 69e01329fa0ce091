-- The SQLite file behind the catalog `lite` of the SQL tests.
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer TEXT COLLATE NOCASE, amount DECIMAL(10,2), placed DATE,
    packed_at TIMESTAMP, weight REAL, paid BOOLEAN, Note VARCHAR(20), raw BLOB
);
INSERT INTO orders VALUES
    (1, 'Ann', 10.50, '2024-01-31', '2024-01-31 08:00:00', 1.5, 1, 'first', x'00ff'),
    (2, 'bob', 3, '2024-02-29', '2024-02-29T23:30:00+02:00', 0.25, 0, NULL, NULL),
    (3, 'ann', 0.1, '2024-02-29', NULL, NULL, 1, 'it''s', x''),
    (4, 'Zoë', 99999999.99, '1999-12-31', '2024-03-01 00:00:00.123456', -2, NULL, '', NULL),
    (5, NULL, NULL, NULL, NULL, 1e300, 0, 'ann', NULL);
CREATE TABLE loose (id INTEGER PRIMARY KEY, n INT, t TEXT, anything);
INSERT INTO loose VALUES (1, 5, 'five', 5), (2, 'many', 'x', '5'), (3, 7, x'c3a9', 2.5), (4, NULL, NULL, NULL);
CREATE TABLE numbers (n BIGINT, s TEXT);
INSERT INTO numbers
    WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5000)
    SELECT n, 'g' || (n % 7) FROM c;
CREATE TABLE large (n BIGINT);
INSERT INTO large VALUES (9223372036854775807), (1);
CREATE VIEW paid_orders AS SELECT id, customer FROM orders WHERE paid = 1;
