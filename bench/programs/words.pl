# Hashes of lists, strings that grow, sorting and splitting.
use strict;
use warnings;

my (%lists, %count);
my $x = 12345;
for my $i (1 .. 600000) {
    $x = ($x * 1103515245 + 12345) % 2147483648;
    my $word = 'w' . ($x >> 8) % 9973;
    $count{$word}++;
    push @{$lists{substr $word, 0, 3}}, "$word:$i" if $i % 2;
}
delete $count{$_} for grep { /3$/ } keys %count;
my $text = join ' ', map { "$_=$count{$_}" } sort keys %count;
my %pairs = map { split /=/ } split / /, $text;
my @sorted = sort { $a cmp $b } map { @$_ } values %lists;
my $grown = '';
$grown .= substr $sorted[$_ * 7 % @sorted], 1 for 1 .. 300000;
printf "%d %d %d %d %s\n", scalar keys %pairs, length $text, scalar @sorted,
    length $grown, substr $grown, 50000, 20;
