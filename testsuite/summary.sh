#!/bin/sh
# summary.sh SUMFILE...: print "N passed, N failed, N skipped" for DejaGnu's
# summaries.  Fails if nothing passed or anything failed: runtest itself
# succeeds when it ran nothing.
awk '
  function n() { return $NF }
  /^# of expected passes/ { passed += n() }
  /^# of unexpected failures/ { failed += n() }
  /^# of unexpected successes/ { failed += n() }
  /^# of unresolved testcases/ { failed += n() }
  /^ERROR: / { failed++ }
  /^# of unsupported tests/ { skipped += n() }
  /^# of untested testcases/ { skipped += n() }
  /^# of expected failures/ { skipped += n() }
  END {
    printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
    exit !(passed > 0 && failed == 0)
  }' "$@"
