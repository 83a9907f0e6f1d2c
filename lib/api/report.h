/* The state of the whole allocator, gathered from the rooms that know a part
   of it.  Used by the calls that report (info.c, hakmem.c) and at exit.  */
#ifndef HKM_API_REPORT_H
#define HKM_API_REPORT_H

#include "base/size_class.h"
#include "stats/stats.h"

/* A report with the class lines it points to.  */
typedef struct hkm_full_report
{
  hkm_report report;
  hkm_class_line line[HKM_CLASSES];
} hkm_full_report;

/* Takes the rooms' locks one after the other: the parts are each consistent,
   but not taken at one moment.  */
void hkm_report_gather (hkm_full_report *full);

/* The first three are HAKMEM_STATS_FORMAT's choices, in order.  */
enum hkm_report_form
{
  HKM_REPORT_TEXT, HKM_REPORT_JSON, HKM_REPORT_SUMMARY, HKM_REPORT_XML
};
void hkm_report_print (hkm_out *out, enum hkm_report_form form);
/* Write a report to FD by a single write, so that reports of processes that
   share the file are not mixed.  0 or an errno value; errno is kept.  */
int hkm_report_write (int fd, enum hkm_report_form form);

/* Give back to the OS what can be: bytes, as far as they can be told.  */
size_t hkm_report_trim (void);

/* Once, by init, when the options are read.  */
void hkm_report_start (void);
/* HAKMEM_STATS=exit: the process's last report (api/init.c).  Tears nothing
   down: there may be frees after it.  */
void hkm_report_at_exit (void);

#endif
