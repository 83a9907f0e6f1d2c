/* opts/parse: numbers, switches, choices, lists, and the nearest name.  */
#include "opts/parse.h"
#include "check.h"

static uint64_t value;

static enum hkm_parsed
number (const char *text, bool bytes, uint64_t min, uint64_t max)
{
  value = 4711;
  return hkm_parse_number (text, strlen (text), bytes, min, max, &value);
}

TEST (numbers)
{
  CHECK (number ("0", false, 0, 10) == HKM_PARSED && value == 0);
  CHECK (number ("10", false, 0, 10) == HKM_PARSED && value == 10);
  CHECK (number ("0x1F", false, 0, 100) == HKM_PARSED && value == 31);
  CHECK (number ("0Xff", false, 0, 300) == HKM_PARSED && value == 255);
  CHECK (number ("11", false, 0, 10) == HKM_RANGE && value == 4711);
  CHECK (number ("1", false, 2, 10) == HKM_RANGE && value == 4711);
  CHECK (number ("18446744073709551615", false, 0, UINT64_MAX) == HKM_PARSED
         && value == UINT64_MAX);
  CHECK (number ("18446744073709551616", false, 0, UINT64_MAX) == HKM_RANGE);
  CHECK (number ("99999999999999999999999", false, 0, 10) == HKM_RANGE);
  CHECK (number ("0xffffffffffffffff", false, 0, UINT64_MAX) == HKM_PARSED);
  CHECK (number ("0x10000000000000000", false, 0, UINT64_MAX) == HKM_RANGE);
  static const char *const bad[] = { "", " 1", "1 ", "-1", "+1", "1.5", "0x",
                                     "abc", "1a", "0xg", "1,2", "K", "1e3" };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    CHECKF (number (bad[i], false, 0, 1000) == HKM_MALFORMED && value == 4711,
            "\"%s\" is taken", bad[i]);
}

TEST (bytes)
{
  CHECK (number ("64M", true, 0, UINT64_MAX) == HKM_PARSED
         && value == 64 << 20);
  CHECK (number ("1k", true, 0, UINT64_MAX) == HKM_PARSED && value == 1024);
  CHECK (number ("3g", true, 0, UINT64_MAX) == HKM_PARSED
         && value == (uint64_t) 3 << 30);
  CHECK (number ("64M", false, 0, UINT64_MAX) == HKM_MALFORMED);
  CHECK (number ("1KB", true, 0, UINT64_MAX) == HKM_MALFORMED);
  CHECK (number ("1MM", true, 0, UINT64_MAX) == HKM_MALFORMED);
  CHECK (number ("18446744073709551615K", true, 0, UINT64_MAX) == HKM_RANGE);
  CHECK (number ("17179869184G", true, 0, UINT64_MAX) == HKM_RANGE);
}

static enum hkm_parsed
ratio (const char *text, uint64_t min, uint64_t max)
{
  value = 4711;
  return hkm_parse_ratio (text, strlen (text), min, max, &value);
}

TEST (ratios_as_hundredths)
{
  static const struct { const char *text; uint64_t hundredths; } good[] = {
    { "0", 0 }, { "1", 100 }, { "2.0", 200 }, { "1.4", 140 }, { "1.40", 140 },
    { "0.65", 65 }, { "0.05", 5 }, { "0.00", 0 }, { "12.34", 1234 },
    { "007.5", 750 }
  };
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    CHECKF (ratio (good[i].text, 0, 10000) == HKM_PARSED
                && value == good[i].hundredths,
            "\"%s\" is %llu", good[i].text, (unsigned long long) value);
  static const char *const bad[] = { "", ".", "1.", ".5", "1e1", "-1", "+1",
                                     " 1", "1 ", "1.234", "1.000", "1.2.3",
                                     "1..2", "1,5", "0x1", "1.a", "x", "1.5K",
                                     "99999999999999999999999.x" };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    CHECKF (ratio (bad[i], 0, UINT64_MAX) == HKM_MALFORMED && value == 4711,
            "\"%s\" is taken", bad[i]);
}

TEST (ratios_in_range)
{
  CHECK (ratio ("1", 100, 200) == HKM_PARSED && value == 100);
  CHECK (ratio ("2.00", 100, 200) == HKM_PARSED && value == 200);
  CHECK (ratio ("0.99", 100, 200) == HKM_RANGE && value == 4711);
  CHECK (ratio ("2.01", 100, 200) == HKM_RANGE && value == 4711);
  CHECK (ratio ("140", 100, 200) == HKM_RANGE && value == 4711);
  CHECK (ratio ("184467440737095516.15", 0, UINT64_MAX) == HKM_PARSED
         && value == UINT64_MAX);
  CHECK (ratio ("184467440737095516.16", 0, UINT64_MAX) == HKM_RANGE);
  CHECK (ratio ("184467440737095517", 0, UINT64_MAX) == HKM_RANGE);
  CHECK (ratio ("18446744073709551616", 0, UINT64_MAX) == HKM_RANGE);
  CHECK (hkm_parse_ratio ("1.49", 3, 0, 200, &value) == HKM_PARSED
         && value == 140);
}

TEST (lists_of_ratios)
{
  uint32_t v[8];
  const char *three = "1.4,2,1.05";
  memset (v, 0xff, sizeof v);
  CHECK (hkm_parse_ratios (three, strlen (three), 100, 200, v) == HKM_PARSED);
  CHECK (v[0] == 140 && v[1] == 200 && v[2] == 105);
  for (int i = 3; i < 8; i++)
    CHECK (v[i] == 0);
  CHECK (hkm_parse_ratios ("1.1,1.2,1.3,1.4", 15, 100, 200, v) == HKM_PARSED);
  CHECK (v[3] == 140 && v[4] == 0);
  CHECK (hkm_parse_ratios ("1", 1, 100, 200, v) == HKM_PARSED);
  CHECK (v[0] == 100 && v[1] == 0);
  static const char *const bad[] = { "", ",", "1,", ",1", "1,,2", "1;2",
                                     "1, 2", "1,1,1,1,1", "1.5,x" };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    {
      v[0] = 4711;
      CHECKF (hkm_parse_ratios (bad[i], strlen (bad[i]), 100, 200, v)
                      == HKM_MALFORMED
                  && v[0] == 4711,
              "\"%s\" is taken", bad[i]);
    }
  v[0] = 4711;
  CHECK (hkm_parse_ratios ("1,2.5", 5, 100, 200, v) == HKM_RANGE
         && v[0] == 4711);
}

TEST (text_need_not_end)
{
  CHECK (hkm_parse_number ("1234", 2, false, 0, 99, &value) == HKM_PARSED
         && value == 12);
}

TEST (switches)
{
  static const char *const yes[] = { "1", "on", "yes", "ON", "Yes" };
  static const char *const no[] = { "0", "off", "no", "OFF", "No" };
  static const char *const bad[] = { "", "2", "o", "onn", "true ", "-1" };
  for (int i = 0; i < 5; i++)
    {
      CHECK (hkm_parse_bool (yes[i], strlen (yes[i]), &value) == HKM_PARSED
             && value == 1);
      CHECK (hkm_parse_bool (no[i], strlen (no[i]), &value) == HKM_PARSED
             && value == 0);
    }
  for (int i = 0; i < 6; i++)
    CHECKF (hkm_parse_bool (bad[i], strlen (bad[i]), &value) != HKM_PARSED,
            "\"%s\" is taken", bad[i]);
}

static enum hkm_parsed
choice (const char *text)
{
  value = 4711;
  return hkm_parse_choice (text, strlen (text), "abort|report|ignore", &value);
}

TEST (choices)
{
  CHECK (choice ("abort") == HKM_PARSED && value == 0);
  CHECK (choice ("Report") == HKM_PARSED && value == 1);
  CHECK (choice ("ignore") == HKM_PARSED && value == 2);
  CHECK (choice ("") != HKM_PARSED && value == 4711);
  CHECK (choice ("abor") != HKM_PARSED && choice ("aborts") != HKM_PARSED);
  CHECK (choice ("abort|report") != HKM_PARSED && choice ("0") != HKM_PARSED);
}

TEST (lists)
{
  uint32_t v[8];
  const char *eight = "1,2,3,4,5,6,7,8", *one = "64";
  CHECK (hkm_parse_list (eight, strlen (eight), 1, 10, v) == HKM_PARSED);
  for (uint32_t i = 0; i < 8; i++)
    CHECK (v[i] == i + 1);
  CHECK (hkm_parse_list (one, 2, 1, 100, v) == HKM_PARSED);
  for (int i = 0; i < 8; i++)
    CHECK (v[i] == 64);
  static const char *const bad[] = { "", "1,2", "1,2,3,4,5,6,7", ",",
                                     "1,2,3,4,5,6,7,8,9", "1,2,3,4,5,6,7,",
                                     "1,2,3,4,5,6,7,x", "1 2 3 4 5 6 7 8" };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    {
      v[0] = 4711;
      CHECKF (hkm_parse_list (bad[i], strlen (bad[i]), 1, 100, v)
                      == HKM_MALFORMED
                  && v[0] == 4711,
              "\"%s\" is taken", bad[i]);
    }
  CHECK (hkm_parse_list ("1,2,3,4,5,6,7,101", 17, 1, 100, v) == HKM_RANGE);
}

static unsigned
distance (const char *a, const char *b)
{
  return hkm_edit_distance (a, strlen (a), b, strlen (b));
}

TEST (edit_distance)
{
  CHECK (distance ("", "") == 0 && distance ("STATS", "STATS") == 0);
  CHECK (distance ("STATS", "STAT") == 1 && distance ("STAT", "STATS") == 1);
  CHECK (distance ("STATS", "STAFS") == 1 && distance ("", "abc") == 3);
  CHECK (distance ("kitten", "sitting") == 3);
  CHECK (distance ("flaw", "lawn") == 2);
}

int
main (void)
{
  RUN (numbers);
  RUN (bytes);
  RUN (ratios_as_hundredths);
  RUN (ratios_in_range);
  RUN (lists_of_ratios);
  RUN (text_need_not_end);
  RUN (switches);
  RUN (choices);
  RUN (lists);
  RUN (edit_distance);
  return check_done ();
}
