-- The world of the hand-written cases; what is granted stands in cases.py.
CREATE TYPE address AS (street text, town text);
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN posint AS integer CHECK (VALUE > 0);
CREATE TABLE customers (id integer PRIMARY KEY, name text, ssn text);
INSERT INTO customers VALUES (1, 'Ann', '111-11'), (2, 'Bob', '222-22');
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, total numeric, ordered date, home address, ssn text);
INSERT INTO orders VALUES (1, 1, 10, '2026-01-01', ROW('a', 'b'), '111-11'), (2, 2, 20, '2026-01-02', NULL, NULL);
CREATE TABLE notes (id serial PRIMARY KEY, body text, secret text);
INSERT INTO notes (body, secret) VALUES ('x', 'y');
CREATE TABLE products (id integer PRIMARY KEY, name text, price numeric, cost numeric);
INSERT INTO products VALUES (1, 'pen', 2, 1);
CREATE TABLE log (id serial PRIMARY KEY, line text);
CREATE TABLE secrets (k text);
INSERT INTO secrets VALUES ('key');
CREATE TABLE lower_orders (id integer, ssn text);
CREATE SCHEMA app;
CREATE TABLE app.events (id integer, kind text, id2 integer);
CREATE TABLE app.hidden (id integer);
CREATE TABLE app.orders (id integer, card text);
CREATE SCHEMA other;
CREATE TABLE other.events (id integer);
CREATE FUNCTION purge(orders) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM products RETURNING name';
CREATE FUNCTION peek() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT k FROM secrets';
CREATE FUNCTION initcap(integer) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT k FROM secrets';
CREATE FUNCTION noisy_eq(mood, text) RETURNS boolean LANGUAGE sql SECURITY DEFINER AS 'SELECT true FROM secrets';
CREATE OPERATOR >>= (LEFTARG = mood, RIGHTARG = text, FUNCTION = noisy_eq);
CREATE OPERATOR @#@ (LEFTARG = mood, RIGHTARG = text, FUNCTION = noisy_eq);
CREATE FUNCTION app.helper(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION app.abs(integer) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT k FROM secrets';
CREATE SEQUENCE counter;
CREATE SEQUENCE tickets;
-- cases
-- allow
SELECT id, name FROM customers;
-- allow
SELECT c.name, o.total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.total > 5 ORDER BY 2 DESC LIMIT 3;
-- allow
SELECT * FROM orders;
-- allow
SELECT o.* FROM orders AS o;
-- allow
SELECT o FROM orders o;
-- allow
SELECT count(*) FROM customers;
-- allow
SELECT count(o) FROM orders o;
-- allow
SELECT row_to_json(o) FROM orders o;
-- allow
SELECT (home).town, (o.home).street FROM orders o;
-- allow
WITH t AS (SELECT id, name FROM customers) SELECT t.name FROM t;
-- allow
WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t;
-- allow
SELECT x.n FROM (SELECT name AS n FROM customers) AS x;
-- allow
SELECT name, (SELECT max(total) FROM orders o WHERE o.customer_id = c.id) FROM customers c;
-- allow
SELECT DISTINCT ON (customer_id) customer_id, total FROM orders ORDER BY customer_id, total DESC;
-- allow
SELECT customer_id, rank() OVER (PARTITION BY customer_id ORDER BY total) FROM orders;
-- allow
SELECT date_trunc('month', ordered), sum(total) FILTER (WHERE total > 1) FROM orders GROUP BY ROLLUP (1);
-- allow
SELECT CASE WHEN total BETWEEN 1 AND 5 THEN 'small' ELSE 'large' END, coalesce(ssn, ''), nullif(id, 1) FROM orders;
-- allow
SELECT id FROM customers WHERE name LIKE 'A%' AND id IN (1, 2) AND name IS NOT NULL;
-- allow
SELECT id FROM app.events;
-- allow
SELECT 1;
-- allow
VALUES (1, 'a'), (2, 'b');
-- allow
TABLE orders;
-- allow
SELECT n, n * 2 FROM generate_series(1, 3) AS g(n);
-- allow
EXPLAIN SELECT name FROM customers;
-- allow
EXPLAIN ANALYZE SELECT name FROM customers;
-- allow
INSERT INTO notes (body) VALUES ('hello');
-- allow
INSERT INTO notes (body) VALUES ('hello') RETURNING id, body;
-- allow
INSERT INTO notes (body) SELECT name FROM customers;
-- allow
INSERT INTO log (line) VALUES ('x');
-- allow
UPDATE notes SET body = 'z' WHERE id = 1;
-- allow
UPDATE products SET price = 3;
-- allow
DELETE FROM products;
-- allow
SET application_name = 'x';
-- allow
SHOW TimeZone;
-- allow
SELECT customers.name FROM customers, LATERAL (SELECT total FROM orders WHERE customer_id = customers.id) AS l;
-- allow
SELECT now(), current_date, extract(year FROM now()), substring('abc' FROM 2 FOR 1), position('a' IN 'ba');
-- allow
SELECT array_agg(name ORDER BY id), string_agg(name, ', '), json_agg(name) FROM customers;
-- allow
SELECT typname FROM pg_type WHERE oid = 23;
-- allow
SELECT a.id FROM orders a JOIN orders b USING (id);
-- allow
SELECT id FROM orders EXCEPT SELECT id FROM customers;
-- deny: hidden column
SELECT ssn FROM customers;
-- deny: hidden column
SELECT c.ssn FROM customers c;
-- deny: star
SELECT * FROM customers;
-- deny: star
SELECT c.* FROM customers c;
-- deny: star in count
SELECT count(c.*) FROM customers c;
-- deny: TABLE is a star
TABLE customers;
-- deny: alias list shifts the columns
SELECT name FROM customers AS c (x, y, name);
-- deny: alias list over a join
SELECT j.name FROM (customers c JOIN orders o ON true) AS j (a, b, name);
-- deny: alias list of a subquery with a star
SELECT y FROM (SELECT * FROM customers) AS s (x, y, z);
-- deny: alias list of a CTE with a star
WITH s (x, y, z) AS (SELECT * FROM customers) SELECT z FROM s;
-- deny: whole row
SELECT c FROM customers c;
-- deny: whole row
SELECT c::text FROM customers c;
-- deny: whole row
SELECT row_to_json(c) FROM customers c;
-- deny: whole row
SELECT to_jsonb(customers) FROM customers;
-- deny: whole row
SELECT count(c) FROM customers c;
-- deny: whole row
SELECT c IS NULL FROM customers c;
-- deny: whole row
SELECT 1 FROM customers c ORDER BY c;
-- deny: whole row
SELECT ROW(c.*) FROM customers c;
-- deny: whole row
SELECT (c).ssn FROM customers c;
-- deny: whole row
SELECT json_agg(c) FROM customers c;
-- deny: attribute notation calls a function
SELECT c.row_to_json FROM customers c;
-- deny: attribute notation calls a function
SELECT c.quote_literal FROM customers c;
-- deny: functional notation reads a column
SELECT ssn(c) FROM customers c;
-- deny: attribute notation calls a function that changes something, on a table granted whole
SELECT o.purge FROM orders o;
-- deny: attribute notation calls a function that changes something
SELECT (o).purge FROM orders o;
-- deny: attribute notation calls a function that changes something
SELECT purge FROM orders;
-- deny: attribute notation calls a function that changes something
SELECT id FROM orders o WHERE o.purge IS NOT NULL;
-- deny: its own function
SELECT purge(o) FROM orders o;
-- deny: SECURITY DEFINER
SELECT peek();
-- deny: in FROM
SELECT * FROM peek() AS x;
-- deny: in ROWS FROM
SELECT * FROM ROWS FROM (generate_series(1, 2), peek()) AS x;
-- deny: qualified
SELECT public.peek();
-- deny: another of a harmless name
SELECT initcap(1);
-- allow
SELECT pg_catalog.initcap('a');
-- deny: in another schema
SELECT app.helper(1);
-- deny: NATURAL JOIN compares the hidden column
SELECT o.total FROM orders o NATURAL JOIN customers c;
-- deny: NATURAL JOIN to a VALUES list
SELECT v.x FROM customers c NATURAL JOIN (VALUES ('111-11', 1)) AS v (ssn, x);
-- deny: USING on the hidden column
SELECT o.id FROM orders o JOIN customers c USING (ssn);
-- deny: hidden column in WHERE
SELECT name FROM customers WHERE ssn LIKE '1%';
-- deny: hidden column in ORDER BY
SELECT name FROM customers ORDER BY ssn;
-- deny: hidden column in GROUP BY
SELECT count(*) FROM customers GROUP BY ssn;
-- deny: hidden column in HAVING
SELECT count(*) FROM customers HAVING max(ssn) > '1';
-- deny: hidden column in DISTINCT ON
SELECT DISTINCT ON (ssn) name FROM customers;
-- deny: hidden column in a window
SELECT rank() OVER (ORDER BY ssn) FROM customers;
-- deny: hidden column in a named window
SELECT rank() OVER w FROM customers WINDOW w AS (ORDER BY ssn);
-- deny: hidden column in FILTER
SELECT count(*) FILTER (WHERE ssn = '1') FROM customers;
-- deny: hidden column in an aggregate's ORDER BY
SELECT array_agg(name ORDER BY ssn) FROM customers;
-- deny: hidden column in LIMIT
SELECT 1 FROM orders LIMIT (SELECT length(ssn) FROM customers LIMIT 1);
-- deny: hidden column in a join condition
SELECT o.id FROM orders o JOIN customers c ON c.ssn = o.ssn;
-- deny: correlated
SELECT (SELECT ssn) FROM customers;
-- deny: correlated, unqualified
SELECT name FROM customers WHERE EXISTS (SELECT 1 FROM app.events WHERE ssn = '1');
-- deny: LATERAL
SELECT l.s FROM customers c, LATERAL (SELECT c.ssn AS s) AS l;
-- deny: TABLESAMPLE argument
SELECT id FROM orders TABLESAMPLE bernoulli ((SELECT length(k) FROM secrets));
-- deny: other table
SELECT k FROM secrets;
-- deny: in a subquery
SELECT (SELECT k FROM secrets LIMIT 1);
-- deny: in EXISTS
SELECT 1 WHERE EXISTS (SELECT FROM secrets);
-- deny: in IN
SELECT id FROM orders WHERE ssn IN (SELECT k FROM secrets);
-- deny: in UNION
SELECT name FROM customers UNION SELECT k FROM secrets;
-- deny: in a CTE that nobody reads
WITH s AS (SELECT k FROM secrets) SELECT 1;
-- deny: a CTE does not see itself
WITH secrets AS (SELECT * FROM secrets) SELECT * FROM secrets;
-- deny: a CTE's name within its own schema
WITH secrets AS (SELECT 1) SELECT * FROM public.secrets;
-- deny: an inner CTE is not seen outside
SELECT * FROM (WITH secrets AS (SELECT 1 AS k) SELECT k FROM secrets) AS x, secrets;
-- deny: a CTE that comes later is not seen
WITH a AS (SELECT * FROM secrets), secrets AS (SELECT 1) SELECT * FROM a;
-- allow
WITH secrets AS (SELECT 1 AS k) SELECT k FROM secrets;
-- deny: in ARRAY()
SELECT ARRAY(SELECT k FROM secrets);
-- deny: in VALUES
VALUES ((SELECT k FROM secrets));
-- deny: in a function's argument in FROM
SELECT * FROM generate_series(1, (SELECT count(*) FROM secrets)) AS g;
-- deny: other schema
SELECT id FROM app.hidden;
-- deny: same name in another schema
SELECT card FROM app.orders;
-- deny: same name in another schema
SELECT id FROM other.events;
-- deny: bare name of a table that is granted in a schema that is not searched
SELECT id FROM events;
-- deny: catalog-qualified
SELECT id FROM cases.public.orders;
-- deny: quoted name is another
SELECT * FROM "Orders";
-- deny: ONLY
SELECT ssn FROM ONLY customers;
-- deny: data-modifying CTE
WITH d AS (DELETE FROM customers RETURNING id) SELECT id FROM d;
-- deny: data-modifying CTE
WITH i AS (INSERT INTO secrets VALUES ('x') RETURNING k) SELECT 1;
-- deny: SELECT INTO
SELECT id INTO fresh FROM orders;
-- deny: CREATE TABLE AS
CREATE TABLE fresh AS SELECT id FROM orders;
-- deny: lock without update
SELECT id FROM orders FOR UPDATE;
-- deny: lock without update
SELECT id FROM orders FOR KEY SHARE;
-- deny: lock in a subquery
SELECT * FROM (SELECT id FROM orders FOR SHARE) AS x;
-- deny: LOCK
LOCK TABLE orders;
-- deny: hidden column is written
INSERT INTO notes (body, secret) VALUES ('a', 'b');
-- deny: all columns are written
INSERT INTO notes VALUES (9, 'a', 'b');
-- deny: RETURNING a hidden column
INSERT INTO notes (body) VALUES ('a') RETURNING secret;
-- deny: RETURNING a star
INSERT INTO notes (body) VALUES ('a') RETURNING *;
-- deny: RETURNING from a table that may not be read
INSERT INTO log (line) VALUES ('a') RETURNING line;
-- deny: ON CONFLICT reads
INSERT INTO notes (body) VALUES ('a') ON CONFLICT (id) DO UPDATE SET body = notes.secret;
-- deny: ON CONFLICT updates
INSERT INTO log (line) VALUES ('a') ON CONFLICT (id) DO UPDATE SET line = 'b';
-- deny: another table is read
INSERT INTO notes (body) SELECT k FROM secrets;
-- deny: another table is read in VALUES
INSERT INTO notes (body) VALUES ((SELECT k FROM secrets));
-- deny: not granted
INSERT INTO orders (id) VALUES (1);
-- deny: hidden column is set
UPDATE products SET cost = 1;
-- deny: hidden column is set in a list
UPDATE products SET (price, cost) = (1, 2);
-- deny: hidden column is read
UPDATE notes SET body = secret;
-- deny: hidden column in WHERE
UPDATE notes SET body = 'x' WHERE secret = 'y';
-- deny: FROM
UPDATE notes SET body = k FROM secrets;
-- deny: RETURNING
UPDATE notes SET body = 'x' RETURNING secret;
-- deny: reads what may not be read
UPDATE products SET price = price + 1;
-- deny: reads what may not be read
DELETE FROM products WHERE cost > 1;
-- deny: USING
DELETE FROM products USING secrets;
-- deny: RETURNING
DELETE FROM products RETURNING name;
-- deny: not granted
DELETE FROM orders;
-- deny: MERGE
MERGE INTO notes USING secrets ON true WHEN MATCHED THEN DELETE;
-- deny: TRUNCATE
TRUNCATE products;
-- deny: COPY to a file
COPY orders TO '/tmp/agentpol-oracle';
-- deny: COPY a query to a program
COPY (SELECT 1) TO PROGRAM 'true';
-- deny: COPY of a hidden column
COPY customers TO STDOUT;
-- deny: EXPLAIN of what is not granted
EXPLAIN SELECT ssn FROM customers;
-- deny: EXPLAIN ANALYZE of a change
EXPLAIN ANALYZE DELETE FROM orders;
-- deny: PREPARE of what is not granted
PREPARE p AS SELECT ssn FROM customers;
-- deny: cursor over what is not granted
DECLARE c CURSOR FOR SELECT ssn FROM customers;
-- deny: DO
DO 'BEGIN PERFORM peek(); END';
-- deny: two statements
SELECT 1; SELECT 2;
-- deny: setting
SET standard_conforming_strings = off;
-- deny: setting
SET search_path = app;
-- deny: a setting that may be shown alone, back to the server's
RESET search_path;
-- deny: role
SET ROLE postgres;
-- deny: all settings
SHOW ALL;
-- deny: a setting by function
SELECT set_config('search_path', 'app', false);
-- deny: a setting by function
SELECT current_setting('data_directory');
-- deny: runs SQL given as text
SELECT query_to_xml('SELECT k FROM secrets', true, false, '');
-- deny: runs SQL given as text
SELECT * FROM ts_stat('SELECT k::tsvector FROM secrets');
-- deny: reads a table by name
SELECT table_to_xml('secrets', true, false, '');
-- deny: reads a file
SELECT pg_read_file('/etc/passwd');
-- deny: waits
SELECT pg_sleep(0);
-- deny: large object
SELECT lo_create(0);
-- deny: sequence
SELECT nextval('counter');
-- deny: what a sequence that is granted is set to
SELECT setval('tickets', (SELECT length(k) FROM secrets));
-- deny: advisory lock
SELECT pg_advisory_lock(1);
-- deny: notification
SELECT pg_notify('a', 'b');
-- deny: LISTEN
LISTEN a;
-- deny: transaction number
SELECT txid_current();
-- deny: memory
SELECT repeat('x', 1000000000);
-- deny: cast that looks names up
SELECT 'secrets'::regclass;
-- deny: cast that looks names up
SELECT CAST('secrets' AS regclass);
-- deny: cast that looks names up
SELECT regclass 'secrets';
-- deny: cast that looks names up, which no literal tells
SELECT ('sec' || 'rets')::regclass;
-- allow: the name of a table that may be read
SELECT 'orders'::regclass;
-- deny: the cast makes the other value a name too
SELECT coalesce(NULL, 'secrets', 'orders'::regclass);
-- deny: cast to a user's type
SELECT '1'::posint;
-- deny: XML
SELECT '<a/>'::xml;
-- deny: XML
SELECT xmlelement(name a);
-- deny: catalog
SELECT relname FROM pg_class;
-- deny: catalog
SELECT rolpassword FROM pg_authid;
-- deny: catalog
SELECT * FROM pg_stat_activity;
-- deny: catalog
SELECT most_common_vals FROM pg_stats;
-- deny: catalog
SELECT table_name FROM information_schema.tables;
-- deny: an operator that somebody made
SELECT 'sad'::mood @#@ 'x';
-- deny: an operator of another schema
SELECT 1 OPERATOR(public.>>=) 2;
-- allow
SELECT 1 OPERATOR(pg_catalog.<=) 2;
-- deny: an operator that somebody made under a harmless sign
SELECT inet '10.0.0.0/8' >>= inet '10.0.0.1';
-- deny: system column
SELECT xmin FROM customers;
-- allow: the name of the very table, or of a part of it
SELECT tableoid::regclass FROM orders;
-- deny: domain in a column definition list
SELECT * FROM json_to_record('{}') AS x(a posint);
-- deny: whole row in a comparison
SELECT 1 FROM customers c, customers d WHERE c = d;
-- deny: whole row in a join alias
SELECT j FROM (customers c JOIN orders o ON true) AS j;
-- deny: star over a join
SELECT * FROM customers c JOIN orders o ON true;
-- deny: star over a join's alias
SELECT j.* FROM (customers c JOIN orders o ON true) AS j;
-- deny: star in INSERT ... SELECT
INSERT INTO notes (body) SELECT * FROM customers;
-- deny: GROUPING SETS
SELECT count(*) FROM customers GROUP BY GROUPING SETS ((ssn), ());
-- deny: JSON path over the row
SELECT to_json(c) -> 'ssn' FROM customers c;
-- deny: CREATE
CREATE TEMP TABLE t (a integer);
-- deny: GRANT
GRANT SELECT ON secrets TO PUBLIC;
-- deny: VACUUM
ANALYZE orders;
-- deny: CALL
CALL peek();
-- deny: REFRESH
REFRESH MATERIALIZED VIEW orders;
-- deny: hidden column in OFFSET
SELECT 1 FROM orders OFFSET (SELECT length(ssn) FROM customers LIMIT 1);
-- deny: a column of the catalog that its level does not open
SELECT typdefault FROM pg_type;
-- deny: a harmless name in another schema
SELECT app.abs(1);
-- deny: FROM of a table that nothing is read of
UPDATE notes SET body = 'x' FROM secrets;
-- deny: EXPLAIN ANALYZE of a change in WITH
EXPLAIN ANALYZE WITH i AS (INSERT INTO notes (body) VALUES ('a') RETURNING id) SELECT id FROM i;
-- deny: hidden column in front of IN
SELECT name FROM customers WHERE ssn IN (SELECT ssn FROM orders);
-- deny: hidden column in front of a list of IN
SELECT name FROM customers WHERE ssn IN ('111-11', '222-22');
-- deny: hidden column in a list of IN
SELECT name FROM customers WHERE '111-11' IN (name, ssn);
-- deny: hidden column in front of an operator
SELECT ssn || '' FROM customers;
-- deny: hidden column behind an operator
SELECT name FROM customers WHERE '111-11' = ssn;
-- deny: hidden column in ELSE
SELECT CASE WHEN true THEN 1 ELSE length(ssn) END FROM customers;
-- deny: hidden column in WHEN
SELECT CASE WHEN ssn = '1' THEN 1 END FROM customers;
-- allow
SELECT * FROM json_populate_recordset(NULL::record, '[{"x": 1}]') AS x (x integer);
