# For scripts that run a server.
#
#   serve COMMAND...   start it; what it says goes to server.log
#   await COMMAND...   until COMMAND succeeds or the server is gone
#   finish [SIGNAL]    end it and wait for it; says how it ended
serve ()
{
  "$@" >server.log 2>&1 &
  server=$!
}
await ()
{
  until "$@" >/dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null ||
      { echo 'the server is gone'; cat server.log; exit 1; }
    sleep 0.05
  done
}
finish ()
{
  # The shell may say how it ended or not, as it finds time.
  { kill -"${1-TERM}" "$server"; wait "$server"; } 2>/dev/null
  echo "server: $?"
}
