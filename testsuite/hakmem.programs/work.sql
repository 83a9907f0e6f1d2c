-- 100,000 rows in and out, in a file, with indices and a rollback.
create table t (id integer primary key, k integer, name text, data blob);
begin;
with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000)
  insert into t select i, i * 7919 % 100003, 'name ' || (i % 1000),
                       zeroblob (i % 200) from n;
commit;
create index tk on t (k);
create index tn on t (name, k);
select count (*), sum (k), sum (length (data)), max (name) from t;
select name, count (*), min (k) from t group by name order by 3 desc limit 5;
select a.id, b.id from t a join t b on b.k = a.id where a.name = 'name 7'
  order by 1 limit 5;
begin;
delete from t where k % 3 = 0;
rollback;
update t set name = name || '!' where k % 5 = 0;
delete from t where k % 2 = 0;
vacuum;
select count (*), count (distinct name) from t;
pragma integrity_check;
