-- sqlite.sql - what SQLite's shell is asked to do as a guest, on a database in a file.
PRAGMA journal_mode = MEMORY;
CREATE TABLE word(id INTEGER PRIMARY KEY, text TEXT NOT NULL, weight REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
INSERT INTO word SELECT i, printf('%05d', (i * 7919) % 5000), i * 0.5 FROM n;
CREATE INDEX word_text ON word(text);
SELECT count(*), min(text), max(text), sum(weight), round(avg(weight), 3) FROM word;
BEGIN;
DELETE FROM word WHERE id % 3 = 0;
ROLLBACK;
DELETE FROM word WHERE id % 5 = 0;
SELECT count(*), total(weight) FROM word WHERE text BETWEEN '01000' AND '01999';
SELECT id, text, rank() OVER (ORDER BY text DESC) FROM word ORDER BY text DESC LIMIT 3;
SELECT json_group_array(text) FROM (SELECT text FROM word ORDER BY id LIMIT 4);
SELECT upper('straße'), length(CAST('straße' AS BLOB)), hex(zeroblob(3)), 1e308 * 10, 7 / 2, 7 % -3;
INSERT INTO word VALUES (1, 'again', 0);
PRAGMA integrity_check;
VACUUM;
SELECT count(*) FROM pragma_page_count, word;
.mode csv
SELECT 'a "quoted", field', NULL, 3;
.schema
