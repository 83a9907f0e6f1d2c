# Writes hakmem-stats(5) from the counter table.
#
#   awk -f counters-man.awk hakmem-stats.5.in counters.def
#
# In the text a line "%counters FIRST LAST" stands for the rows FIRST to LAST of
# the table, with their units.  Each row must be in one such place, and in no
# other.

function die(why) {
  print "counters-man.awk: " why > "/dev/stderr"
  bad = 1; exit 1
}

FILENAME ~ /\.def$/ {
  if (split($0, quoted, "\"") < 5 || !/^HKM_COUNTER \([A-Z]/) next
  name = quoted[1]; gsub(/^HKM_COUNTER \(|, *$/, "", name)
  row[name] = ++rows
  order[rows] = name; unit[rows] = quoted[2]; help[rows] = quoted[4]
  next
}

{ text[++lines] = $0 }

END {
  if (bad) exit 1
  if (!rows) die("no rows in the counter table")
  for (i = 1; i <= lines; i++)
    if (split(text[i], f, " ") == 3 && f[1] == "%counters") list(f[2], f[3])
    else print text[i]
  for (i = 1; i <= rows; i++)
    if (!(i in shown)) die(order[i] " is in no part of the page")
}

function list(first, last,   i) {
  if (!(first in row) || !(last in row) || row[first] > row[last])
    die("no rows " first " to " last)
  for (i = row[first]; i <= row[last]; i++) {
    if (i in shown) die(order[i] " is in two parts of the page")
    shown[i] = 1
    print ".TP\n.BR " order[i] " \\~(" unit[i] ")"
    print toupper(substr(help[i], 1, 1)) substr(help[i], 2) "."
  }
}
