/* See signed.h.  */
#include "os/signed.h"
#include "base/text.h"
#include "os/file.h"
#include "os/os.h"

#include <errno.h>

static void
print_last (hkm_out *out, const char *text, size_t n)
{
  hkm_out_printf (out, HKM_SIGNED_WORD "%016llx\n",
                  (unsigned long long) hkm_text_sum (text, n));
  hkm_out_flush (out);
}

HKM_COLD int
hkm_signed_save (const char *path,
                 void (*print) (hkm_out *out, void *what), void *what)
{
  if (hkm_os_secure ())
    return EPERM;
  char *text = hkm_os_map (HKM_SIGNED_MAX, hkm_os_page_size ());
  if (text == NULL)
    return ENOMEM;
  hkm_out_store store = { text, HKM_SIGNED_MAX };
  hkm_out out;
  hkm_out_init_store (&out, &store);
  print (&out, what);
  hkm_out_flush (&out);
  print_last (&out, text, (size_t) (store.at - text));
  HKM_CHECK (store.left > 1); /* nothing was cut */
  int error = hkm_os_file_replace (path, text, (size_t) (store.at - text));
  hkm_os_unmap (text, HKM_SIGNED_MAX);
  return error;
}

bool
hkm_signed_is_whole (const char *text, size_t n)
{
  char want[HKM_SIGNED_LINE + 1];
  hkm_out_store store = { want, sizeof want };
  hkm_out out;
  if (n <= HKM_SIGNED_LINE)
    return false;
  hkm_out_init_store (&out, &store);
  print_last (&out, text, n - HKM_SIGNED_LINE);
  return hkm_bytes_are (text + n - HKM_SIGNED_LINE, want, HKM_SIGNED_LINE);
}
