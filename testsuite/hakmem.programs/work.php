<?php
// XML, curl, JSON, regular expressions and generators in PHP.
$doc = new DOMDocument ();
$root = $doc->appendChild ($doc->createElement ('list'));
for ($i = 0; $i < 5000; $i++) {
    $item = $root->appendChild ($doc->createElement ('item', "text $i"));
    $item->setAttribute ('n', (string) ($i * 7919 % 5003));
}
$xml = $doc->saveXML ();
$simple = simplexml_load_string ($xml);
$sum = 0;
foreach ($simple->xpath ('//item[@n > 2500]') as $item)
    $sum += (int) $item['n'];
echo strlen ($xml), ' ', $sum, ' ', md5 ($xml), "\n";

file_put_contents ('page.txt', str_repeat ("line of text\n", 20000));
for ($i = 0; $i < 20; $i++) {
    $curl = curl_init ('file://' . getcwd () . '/page.txt');
    curl_setopt ($curl, CURLOPT_RETURNTRANSFER, true);
    $page = curl_exec ($curl);
    curl_close ($curl);
}
echo strlen ($page), ' ', crc32 ($page), "\n";

function numbers (int $n) { for ($i = 0; $i < $n; $i++) yield "k$i" => [$i, str_repeat ('x', $i % 100)]; }
$json = json_encode (iterator_to_array (numbers (20000)));
echo strlen ($json), ' ', count (json_decode ($json, true)), "\n";
echo preg_match_all ('/k(\d+)7"/', $json), ' ',
     strlen (preg_replace ('/x{5,}/', '', $json)), "\n";
