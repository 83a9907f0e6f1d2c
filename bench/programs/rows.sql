-- A database in memory: rows in, indices, joins, a rollback, rows out.
create table part (id integer primary key, k integer, name text, data blob);
begin;
with recursive n (i) as (select 1 union all select i + 1 from n where i < 90000)
  insert into part
    select i, i * 7919 % 100003, 'name ' || (i % 1000), zeroblob (i % 250)
    from n;
commit;
create index part_k on part (k);
create index part_name on part (name, k);
select count (*), sum (k), sum (length (data)), max (name) from part;
select name, count (*), min (k), group_concat (k) from part
  group by name order by 3 desc limit 3;
select count (*) from part a join part b on b.k = a.id where a.id % 3 = 1;
begin;
delete from part where k % 3 = 0;
rollback;
update part set name = name || '!' where k % 5 = 0;
select sum (length (upper (name) || hex (data))) from part;
delete from part where k % 2 = 0;
select count (*), count (distinct name) from part;
