# A redis server on a socket file, redis-benchmark against it, and a digest of
# the data at the end.  Usage: sh redis.sh REQUESTS
set -e
requests=$1
mkfifo log
# (The name of a socket has 107 bytes at most: not the whole path.)
redis-server --port 0 --unixsocket socket --save '' --appendonly no \
  --enable-debug-command yes --dir "$PWD" --logfile '' >log 2>&1 &
server=$!
exec 3<log
ready=no
while read -r line <&3; do # ends when the server does
  case $line in
    *"eady to accept connections"*) ready=yes; break ;;
  esac
done
echo "ready: $ready"
cat <&3 >server.log & # the server must never wait for a reader
reader=$!
redis-benchmark -s socket -q -c 20 -n "$requests" \
  -t set,get,incr,lpush,lpop,sadd,hset,zadd,lrange_100,mset >benchmark.log 2>&1
redis-benchmark -s socket -q -c 20 -n "$requests" -d 3000 -t lpush,rpush \
  >>benchmark.log 2>&1
grep -c 'requests per second' benchmark.log
redis-cli -s socket dbsize
redis-cli -s socket debug digest
redis-cli -s socket eval \
  'for i = 1, 20000 do redis.call ("set", "k" .. i % 5000, ("x"):rep (i % 700)) end
   for i = 1, 4000 do redis.call ("del", "k" .. i) end' 0
redis-cli -s socket bgsave
redis-cli -s socket debug digest
redis-cli -s socket shutdown nosave || true
exec 3<&-
wait "$server"
wait "$reader"
