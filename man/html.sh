#!/bin/sh
# html.sh DIR PAGE...: the manual as HTML in DIR, one file a page and index.html,
# by mandoc; pages link to each other.  The same pages give the same files.
# Environment: MANDOC.  Without mandoc it says so in a line, leaves no DIR, and
# that is no failure.
set -u
LC_ALL=C
export LC_ALL
mandoc=${MANDOC:-mandoc}
[ $# -ge 2 ] || { echo "html.sh: no directory or no pages" >&2; exit 2; }
dir=$1
shift
rm -rf "$dir" "$dir.tmp"
if ! command -v "$mandoc" >/dev/null 2>&1; then
  echo "html.sh: no $mandoc: no HTML" >&2
  exit 0
fi
mkdir -p "$dir.tmp" || exit 1
trap 'rm -rf "$dir.tmp"' EXIT
trap 'exit 1' HUP INT TERM

# A page is called NAME.SECTION, a link is <b>NAME</b>(SECTION) in what mandoc
# writes.
for page; do
  file=${page##*/} name=${page##*/}
  name=${name%.*}
  printf 's|<b>%s</b>(%s)|<a href="%s.html">&</a>|g\n' \
    "$(printf '%s\n' "$name" | sed 's/\./\\./g')" "${file##*.}" "$file"
done >"$dir.tmp/links.sed"
for page; do
  "$mandoc" -Thtml "$page" >"$dir.tmp/page" &&
    sed -f "$dir.tmp/links.sed" "$dir.tmp/page" \
      >"$dir.tmp/${page##*/}.html" || exit 1
done
rm -f "$dir.tmp/links.sed" "$dir.tmp/page"

# list PAGE...: those with the descriptions that stand in NAME.
list ()
{
  echo '<dl>'
  for page; do
    file=${page##*/}
    printf '<dt><a href="%s.html">%s(%s)</a></dt>\n<dd>' "$file" "${file%.*}" \
      "${file##*.}"
    sed -n '/^\.SH NAME/{
      n
      s/^.* \\- //
      s/\\-/-/g
      s/&/\&amp;/g
      s/</\&lt;/g
      s/>/\&gt;/g
      s|$|</dd>|
      p
      q
    }' "$page"
  done
  echo '</dl>'
}

# group TITLE PATTERN PAGE...: the pages whose names match.
group ()
{
  title=$1 pattern=$2
  shift 2
  for page; do
    shift
    # shellcheck disable=SC2254 # a pattern is meant
    case ${page##*/} in $pattern) set -- "$@" "$page" ;; esac
  done
  [ $# -gt 0 ] || return 0
  printf '<h2>%s</h2>\n' "$title"
  list "$@"
}

{
  cat <<'END'
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<title>libhakmem manual</title>
</head>
<body>
<h1>libhakmem manual</h1>
END
  group Overviews 'hakmem*.7' "$@"
  group Programs 'hakmem*.[18]' "$@"
  group Files 'hakmem*.5' "$@"
  group Functions 'hakmem*.3' "$@"
  group Variables 'HAKMEM_*.7' "$@"
  printf '</body>\n</html>\n'
} >"$dir.tmp/index.html" && chmod 755 "$dir.tmp" && mv "$dir.tmp" "$dir"
