/* A small epoll server and its clients: each connection's state is a block that
   lives as long as the connection, each message a block of its own, half of them
   freed by another thread than read them.  And, if the kernel lets us, the same
   through io_uring, into buffers of malloc's.  */
#include "../hakmem.concur/concur.h"
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#if __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#endif

enum { CLIENTS = 100, ROUNDS = 20, SERVERS = 2, MOST = 16000 };

typedef struct connection
{
  int fd;
  size_t have, want;
  char *message;
} connection;

static int queue, client_end[CLIENTS];
static char *handed;           /* a message on its way to the other thread */
static long served, answered;

static void
finish_message (connection *c)
{
  for (size_t i = 1; i < c->want; i++)
    if (c->message[i] != c->message[0])
      die ("server", "byte %zu of %zu", i, c->want);
  char answer = c->message[0];
  if (write (c->fd, &answer, 1) != 1)
    die ("server", "write: %d", errno);
  free (__atomic_exchange_n (&handed, c->message, __ATOMIC_ACQ_REL));
  c->message = NULL;
  c->have = c->want = 0;
  __atomic_add_fetch (&served, 1, __ATOMIC_RELAXED);
}

/* False: the client is gone.  */
static bool
more (connection *c)
{
  if (c->message == NULL)
    {
      uint32_t size;
      if (read (c->fd, &size, sizeof size) != sizeof size)
        return false;
      c->want = size;
      c->message = malloc (size);
    }
  ssize_t n = read (c->fd, c->message + c->have, c->want - c->have);
  if (n <= 0)
    return false;
  c->have += n;
  if (c->have == c->want)
    finish_message (c);
  return true;
}

static void
arm (connection *c, int how)
{
  struct epoll_event e = { .events = EPOLLIN | EPOLLONESHOT, .data.ptr = c };
  if (epoll_ctl (queue, how, c->fd, &e) != 0)
    die ("server", "epoll_ctl: %d", errno);
}

static void *
server (void *unused UNUSED)
{
  static long open = CLIENTS;
  while (__atomic_load_n (&open, __ATOMIC_RELAXED) > 0)
    {
      struct epoll_event e[8];
      int n = epoll_wait (queue, e, 8, 20);
      for (int i = 0; i < n; i++)
        {
          connection *c = e[i].data.ptr;
          if (more (c))
            {
              arm (c, EPOLL_CTL_MOD);
              continue;
            }
          close (c->fd);
          free (c->message);
          free (c);
          __atomic_sub_fetch (&open, 1, __ATOMIC_RELAXED);
        }
    }
  return NULL;
}

static void
send_one (int fd, uint64_t *random)
{
  uint32_t size = draw_size (random, 16, MOST);
  char *text = malloc (sizeof size + size);
  memcpy (text, &size, sizeof size);
  memset (text + sizeof size, (int) size, size);
  for (size_t at = 0; at < sizeof size + size;)
    {
      ssize_t n = write (fd, text + at, sizeof size + size - at);
      if (n <= 0)
        die ("client", "write: %d", errno);
      at += n;
    }
  char answer = 0;
  if (read (fd, &answer, 1) == 1 && answer == (char) size)
    answered++;
  free (text);
}

static void
epoll (void)
{
  pthread_t thread[SERVERS];
  uint64_t random = 8;
  queue = epoll_create1 (0);
  for (int i = 0; i < CLIENTS; i++)
    {
      int pair[2];
      if (socketpair (AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        die ("server", "socketpair: %d", errno);
      connection *c = calloc (1, sizeof *c);
      c->fd = pair[0];
      client_end[i] = pair[1];
      arm (c, EPOLL_CTL_ADD);
    }
  for (int i = 0; i < SERVERS; i++)
    thread[i] = thread_start (server, NULL);
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < CLIENTS; i++)
      send_one (client_end[i], &random);
  for (int i = 0; i < CLIENTS; i++)
    close (client_end[i]);
  for (int i = 0; i < SERVERS; i++)
    pthread_join (thread[i], NULL);
  free (handed);
  verdict (served == CLIENTS * ROUNDS && answered == served, "epoll",
           "%ld served, %ld answered", served, answered);
}

#ifdef IORING_OFF_SQES
/* One request at a time: write a block of SIZE bytes to a pipe through the ring,
   read it back into another, and compare.  */
static void
io_uring (void)
{
  struct io_uring_params p = { 0 };
  int ring = syscall (SYS_io_uring_setup, 4, &p), ends[2];
  if (ring < 0)
    {
      say ("skip io_uring: not allowed here (%d)", errno);
      return;
    }
  size_t length = p.sq_off.array + p.sq_entries * sizeof (unsigned);
  size_t other = p.cq_off.cqes + p.cq_entries * sizeof (struct io_uring_cqe);
  char *queue_at = mmap (NULL, length > other ? length : other,
                         PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
                         IORING_OFF_SQ_RING);
  struct io_uring_sqe *entry
      = mmap (NULL, p.sq_entries * sizeof *entry, PROT_READ | PROT_WRITE,
              MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
  if (!(p.features & IORING_FEAT_SINGLE_MMAP) || queue_at == MAP_FAILED
      || entry == MAP_FAILED || pipe (ends) != 0)
    {
      say ("skip io_uring: an old one");
      return;
    }
  unsigned *tail = (unsigned *) (queue_at + p.sq_off.tail);
  unsigned *head = (unsigned *) (queue_at + p.cq_off.head);
  unsigned *array = (unsigned *) (queue_at + p.sq_off.array);
  struct io_uring_cqe *done = (struct io_uring_cqe *) (queue_at + p.cq_off.cqes);
  unsigned cq_mask = *(unsigned *) (queue_at + p.cq_off.ring_mask);
  unsigned sq_mask = *(unsigned *) (queue_at + p.sq_off.ring_mask);
  long wrong = 0;
  for (int i = 0; i < 500; i++)
    {
      size_t size = 16 + (size_t) i * 97;
      if (size > 60000)
        size = 60000;
      char *from = malloc (size), *to = malloc (size);
      memset (from, i, size);
      for (int side = 0; side < 2; side++)
        {
          unsigned at = *tail & sq_mask;
          memset (&entry[at], 0, sizeof entry[at]);
          entry[at].opcode = side ? IORING_OP_READ : IORING_OP_WRITE;
          entry[at].fd = ends[!side];
          entry[at].addr = (uintptr_t) (side ? to : from);
          entry[at].len = size;
          entry[at].off = -1;
          array[at] = at;
          __atomic_store_n (tail, *tail + 1, __ATOMIC_RELEASE);
          if (syscall (SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
                       NULL, 0) != 1)
            die ("io_uring", "enter: %d", errno);
          wrong += done[*head & cq_mask].res != (int) size;
          __atomic_store_n (head, *head + 1, __ATOMIC_RELEASE);
        }
      wrong += memcmp (from, to, size) != 0;
      free (from);
      free (to);
    }
  verdict (wrong == 0, "io_uring", "%ld of 500 differ", wrong);
}
#else
static void
io_uring (void)
{
  say ("skip io_uring: unknown to this system's headers");
}
#endif

int
main (void)
{
  epoll ();
  io_uring ();
  return finish ();
}
