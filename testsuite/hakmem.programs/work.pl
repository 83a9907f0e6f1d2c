# Hashes, strings, sorting, closures and regular expressions in Perl.
use strict;
use warnings;

my (%count, @list);
for my $i (1 .. 60000) {
    my $key = 'k' . ($i * 7919 % 20011);
    $count{$key} += length $key x ($i % 13);
    push @list, "$key-$i" if $i % 3 == 0;
}
delete $count{$_} for grep { /7/ } keys %count;
my $text = join ',', map { "$_=$count{$_}" } sort keys %count;
$text =~ s/(\d+)=(\d+)/$2=$1/g;
my @sorted = sort { $a cmp $b } @list;
my $sum = unpack '%32C*', $text . join '', @sorted;
my @closures = map { my $n = $_; sub { $n * shift } } 1 .. 5000;
my $total = 0;
$total += $_->(3) for @closures;
printf "%d keys, %d bytes, sum %u, %d\n", scalar keys %count, length $text,
    $sum, $total;
my $big = '';
$big .= chr (65 + $_ % 26) x 1000 for 1 .. 5000;
printf "%d %s\n", length $big, substr $big, 4321, 10;
