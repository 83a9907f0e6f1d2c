# Arrays, substitution, here documents, subshells and pipes in bash.
set -euo pipefail
declare -A table
for ((i = 0; i < 6000; i++)); do
  table[key$((i * 7919 % 6007))]="value $i ${i//1/one}"
done
text=
for key in "${!table[@]}"; do
  text+="$key=${table[$key]}"$'\n'
done
sort <<<"$text" | cksum
printf '%s\n' {1..3000} | while read -r n; do echo $((n * n)); done | cksum
for i in {1..60}; do
  word=$(echo "$i" | tr 0-9 a-j)
  (cat <<END
$word ${word^^} ${#word}
END
  )
done | cksum
f () { local a=("$@"); ((${#a[@]} < 300)) && f "${a[@]}" x || echo "${#a[@]}"; }
f
[[ $(printf 'z%.0s' {1..50000}) =~ ^z+$ ]] && echo matched
