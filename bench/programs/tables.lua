-- Trees of tables, strings in tables, closures: built, walked and dropped.
local function tree (depth, n)
  if depth == 0 then
    return { key = n, text = "leaf " .. n }
  end
  return { key = n, left = tree (depth - 1, 2 * n),
           right = tree (depth - 1, 2 * n + 1) }
end

local function sum (t)
  if not t.left then
    return t.key % 1000 + #t.text
  end
  return sum (t.left) + sum (t.right)
end

local total = 0
for turn = 1, 12 do
  total = total + sum (tree (13, turn))
end
local index, calls = {}, {}
for i = 1, 200000 do
  index["k" .. i * 7919 % 30011] = { i, tostring (i) }
  calls[i % 5000] = function () return i end
end
for _, f in pairs (calls) do
  total = total + f ()
end
local words = {}
for i = 1, 60000 do
  words[i] = string.format ("%x", i * 2654435761 % 1000003)
end
table.sort (words)
print (total, #words, words[1], words[#words], #table.concat (words, ","))
