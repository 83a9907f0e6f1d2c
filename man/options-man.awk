# Writes the manual pages of the HAKMEM_ variables from the option table.
#
#   awk -f options-man.awk -v page=PAGE options-notes options.def profiles.def
#
# PAGE is man/HAKMEM_NAME.7 (directory and section may be left out) for one
# variable, man/hakmem-env.7 for the index of all, or "list" for the names of
# all pages as man/pages.am has them.  The table says what a variable is, the
# notes (roff text under a line "@NAME") what is worth knowing about it.

BEGIN {
  date = "2026-11-21" # fixed, so that the same source gives the same pages
  sub(/.*\//, "", page); sub(/\.7$/, "", page)
}

# Notes.
FILENAME ~ /options-notes$/ {
  if (/^\.\\"/) next
  if (/^@/) note = substr($0, 2)
  else notes[note] = notes[note] $0 "\n"
  next
}

# Rows: two lines each; the comment above them is not one.
/^HKM_OPTION \([A-Z]/ {
  head = $0; sub(/^HKM_OPTION \(/, "", head)
  getline help_line
  split_row(head, help_line)
}

# What the profiles change.
/^HKM_SETTING \([A-Z]/ {
  gsub(/^HKM_SETTING \(|\)$/, "")
  split($0, f, /, */)
  settings[++changes] = tolower(f[1]) " " f[2]
  setting[changes] = f[3]
}

END {
  if (!rows) { print "no rows in the option table" > "/dev/stderr"; exit 1 }
  for (note in notes)
    if (note != "env" && !(note in type)) {
      print "a note on " note ", which has no row" > "/dev/stderr"; exit 1
    }
  if (page == "list") list()
  else if (page == "hakmem-env") index_page()
  else {
    sub(/^HAKMEM_/, "", page)
    if (!(page in type)) { print "no variable " page > "/dev/stderr"; exit 1 }
    variable_page(page)
  }
}

function split_row(head, help_line,   f, n, i, name, quoted) {
  # Strings first: a comma may stand in one.
  n = split(head, quoted, "\"")
  split(quoted[1], f, /, */)
  name = f[1]
  order[++rows] = name
  type[name] = f[2]; def[name] = f[3]; min[name] = f[4]; max[name] = f[5]
  unit[name] = quoted[2]; choices[name] = quoted[4]
  layer[name] = quoted[6]; part[name] = quoted[8]
  sub(/^[ \t]*"/, "", help_line); sub(/"\)[ \t]*$/, "", help_line)
  help[name] = help_line
}

function escape(s) { gsub(/\\/, "\\e", s); return s }
function sentence(s) { return toupper(substr(s, 1, 1)) substr(s, 2) "." }

# Bytes as the parser takes them: 64M, not 67108864.
function number(name, v,   power) {
  if (unit[name] == "bytes")
    while (power < 3 && v + 0 > 0 && v % 1024 == 0) { v /= 1024; power++ }
  return v substr("KMG", power, power > 0)
}

# Hundredths with as few places as say them: 1.4, not 140.
function ratio(v) { return sprintf("%.2f", v / 100) + 0 }

function valid(name,   w, n, i, s) {
  if (type[name] == "BOOL") return "0, off or no; 1, on or yes"
  if (type[name] == "ENUM") {
    n = split(choices[name], w, "|")
    for (i = 1; i <= n; i++)
      s = s (i == 1 ? "" : i == n ? " or " : ", ") w[i]
    return s
  }
  if (type[name] == "TEXT") return "any " unit[name]
  if (type[name] == "BLOCK")
    return "0, or a multiple of 16 from " min[name] " to " max[name] \
      " that is no size of another class"
  if (type[name] == "MASK") return min[name] " to " max[name]
  if (type[name] ~ /^RATIO/) {
    s = ratio(min[name]) " to " ratio(max[name]) " " unit[name]
    return type[name] == "RATIOS" ? s ", each" : s
  }
  s = number(name, min[name]) " to " number(name, max[name]) " " unit[name]
  return type[name] == "LIST" ? s ", each" : s
}

function default_of(name,   w) {
  if (type[name] == "ENUM") { split(choices[name], w, "|"); return w[def[name] + 1] }
  if (type[name] == "TEXT") return "unset"
  if (type[name] == "LIST")
    return def[name] (choices[name] == "" ? "" : "," choices[name])
  if (type[name] == "RATIO") return ratio(def[name])
  if (type[name] == "RATIOS") return choices[name]
  return number(name, def[name])
}

function form(name) {
  if (type[name] == "BOOL") return "a switch"
  if (type[name] == "ENUM") return "one of these words"
  if (type[name] == "MASK")
    return "a mask, decimal or 0x..., of class groups: bit k is Ck"
  if (type[name] == "LIST")
    return "one number for all class groups, or eight for C0 to C7, with commas between"
  if (type[name] == "RATIO")
    return "a decimal number with at most two places behind the point"
  if (type[name] == "RATIOS")
    return "one to four decimal numbers, each with at most two places, with commas between"
  if (type[name] == "TEXT") return "text"
  return "a number, decimal or 0x..." \
    (unit[name] == "bytes" ? ", with K, M or G for KiB, MiB or GiB" : "")
}

function placeholder(name) {
  if (type[name] == "BOOL") return "0|1"
  if (type[name] == "ENUM") return choices[name]
  if (unit[name] == "bytes") return "SIZE"
  if (type[name] == "UINT" || type[name] == "RATIO") return "NUMBER"
  if (type[name] == "RATIOS") return "NUMBER[,NUMBER]..."
  return type[name]=="TEXT" ? toupper(unit[name]) : type[name]
}

function header(title) {
  print ".\\\" Generated from lib/opts/options.def by man/options-man.awk."
  print ".TH " title " 7 " date " libhakmem \"libhakmem manual\""
}

function facts(name) {
  print ".TP 10\nForm\n" form(name)
  print ".TP\nValid\n" valid(name)
  print ".TP\nDefault\n" default_of(name) by_profile(name)
  if (part[name] != "")
    print ".TP\nPart\n" part[name] \
      "; without effect in a library configured with \\-\\-disable\\-" part[name]
}

# "; 256M in profile speed"
function by_profile(name,   i, w, s) {
  for (i = 1; i <= changes; i++) {
    split(settings[i], w, " ")
    if (w[2] == name) s = s "; " number(name, setting[i]) " in profile " w[1]
  }
  return s
}

function profile_list(   i, w, last) {
  print ".TP\n.B balanced\nThe defaults as they are."
  for (i = 1; i <= changes; i++) {
    split(settings[i], w, " ")
    if (w[1] != last) print ".TP\n.B " w[1]
    else print ".br"
    last = w[1]
    print ".BR HAKMEM_" w[2] " (7)"
    print "is " number(w[2], setting[i]) "."
  }
}

function variable_page(name) {
  header("HAKMEM_" name)
  print ".SH NAME\nHAKMEM_" name " \\- " escape(help[name])
  print ".SH SYNOPSIS"
  print ".BI HAKMEM_" name "= " placeholder(name)
  print ".SH DESCRIPTION"
  print "This environment variable of"
  print ".BR hakmem (7)"
  print "belongs to its " layer[name] " layer."
  print escape(sentence(help[name]))
  if (name in notes) printf "%s%s", notes[name] ~ /^\.(TP|S[HS])/ ? "" : ".PP\n", notes[name]
  if (name == "PROFILE") profile_list()
  print ".SH VALUES"
  facts(name)
  print ".PP\nA value that is not valid keeps the default."
  print "The variable is read once, when the process makes its first allocation, and"
  print "never in a set-user-ID program."
  if (name != "CONF" && name != "HELP")
    print "For all programs, or for some, it can stand in\n.BR hakmem.conf (5)."
  print ".SH SEE ALSO"
  if (name ~ /^STATS/) print ".BR hakmem\\-stats (5),"
  print ".BR hakmem.conf (5),\n.BR hakmem (7),\n.BR hakmem\\-env (7)" \
    (learns(name) ? ",\n.BR hakmem\\-learning (7)" : "")
}

# Has hakmem-learning(7) to say more?
function learns(name) {
  return layer[name] == "learning" || part[name] ~ /^(learn|site)/ ||
    name ~ /^POLICY/
}

function index_page(   i, name, last) {
  header("HAKMEM-ENV")
  print ".SH NAME\nhakmem\\-env \\- environment variables of the hakmem memory allocator"
  split(notes["env"], halves, "%variables\n")
  printf "%s", halves[1]
  for (i = 1; i <= rows; i++) {
    name = order[i]
    if (layer[name] != last)
      print ".SS " toupper(substr(layer[name], 1, 1)) substr(layer[name], 2)
    last = layer[name]
    print ".TP\n.BR HAKMEM_" name " (7)"
    print escape(sentence(help[name]))
    print "Default: " default_of(name) ";"
    print "valid: " valid(name) "."
  }
  printf "%s", halves[2]
}

function list(   i, names, n, j, t) {
  n = 0
  for (i = 1; i <= rows; i++) names[++n] = "man/HAKMEM_" order[i] ".7"
  for (i = 2; i <= n; i++) { # by name, whatever the table's order
    t = names[i]
    for (j = i; j > 1 && names[j - 1] > t; j--) names[j] = names[j - 1]
    names[j] = t
  }
  names[++n] = "man/hakmem-env.7"
  for (i = 1; i <= n; i++) print "  " names[i] (i < n ? " \\" : "")
}
