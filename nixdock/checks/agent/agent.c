/* The first process of nixdock's idle containers: runs commands on request, and nothing else.
 *
 * It needs nothing of the image, neither a shell nor a C library: it is static and talks to the
 * kernel itself. Requests come on standard input, answers go to standard output; both are the
 * connection to nixdock (`docker attach`). It ends when its input ends and on a SIGTERM from outside
 * the container, and reaps every process that is left to it. `nixdock/checks/agent/protocol.py` is the
 * other end.
 *
 * The commands run as the same user, and must not be able to speak in its place. So it is not
 * "dumpable": its memory and what /proc/1/fd holds are closed to every process without
 * CAP_SYS_PTRACE, which engines do not give. What can be done to it all the same (its limits, its
 * place in the schedule) is compared after each command.
 *
 * Numbers are 32-bit, in the machine's order, which on amd64 and arm64 is little-endian.
 *
 * Request:  length of what follows, id, type, then
 *   type 1, run:  argc, envc, length of stdin; cwd, argv and env as strings that end with a zero
 *                 byte; stdin. An empty cwd is the agent's own. env is added to the agent's own.
 *   type 2, kill: nothing more; the command and its process group get SIGKILL.
 *   type 3, sweep: nothing more; every process but the agent gets SIGKILL.
 * Answer:   id, type, length; data.
 *   type 0: the agent is there (id 0); its name, and 1 if commands may have more rights than it allows for
 *   type 1: a piece of its stdout          type 3: the command ended; its wait status
 *   type 2: a piece of its stderr          type 4: it could not be run; stage and errno
 *   type 5: swept; 1 if no process is left and the agent is as it was at first, else 0
 *
 * Built by scripts/build-agent, which says how, and whether the binaries beside this file are it.
 */

typedef unsigned int u32;
typedef unsigned long size;
typedef unsigned char byte;

enum { RUN = 1, KILL = 2, SWEEP = 3 };
enum { HELLO, OUT, ERR, EXIT, FAILED, SWEPT };
enum { STAGE_MAKE = 0, STAGE_CWD = 1, STAGE_EXEC = 2 };

enum {
  COMMANDS = 32,           /* at one time; nixdock asks for fewer */
  PIECE = 65536,           /* read from a command at once */
  LONGEST = 1 << 28,       /* a request */
  LINGER_MS = 250,         /* wait for output that a background process holds open after the end */
  LINGER_POLL_MS = 25,
  SWEEP_MS = 2000,         /* wait for processes to be gone that have been killed */
  LIMITS = 16,             /* RLIM_NLIMITS */
};

/* The capabilities that docker gives to a container unless told otherwise; podman gives fewer:
 * chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw,
 * sys_chroot, mknod, audit_write, setfcap. */
static const unsigned long USUAL = 0xa80425fb;

/* The kernel's interface: include/uapi/asm-generic, arch/x86/include/uapi/asm. */
enum { EINTR = 4, ECHILD = 10, EAGAIN = 11, ENOENT = 2, EACCES = 13, ENOTDIR = 20, EMFILE = 24 };
enum { SIGKILL_ = 9, SIGTERM_ = 15, SIGCHLD_ = 17, SIGINT_ = 2, SIGPIPE_ = 13 };
enum { POLLIN = 1, POLLOUT = 4, POLLERR = 8, POLLHUP = 16, WNOHANG = 1, O_CLOEXEC = 02000000,
       O_NONBLOCK = 04000, F_SETFL = 4, PROT_RW = 3, MAP_PRIVATE_ANON = 0x22,
       CLOCK_MONOTONIC = 1, SIG_SETMASK = 2, SFD_FLAGS = O_CLOEXEC | O_NONBLOCK,
       PR_GET_DUMPABLE = 3, PR_SET_DUMPABLE = 4, PR_CAPBSET_READ = 23, IOPRIO_WHO_PROCESS = 1,
       AT_FDCWD = -100, CAPABILITY_VERSION = 0x20080522 };

#if defined(__x86_64__)
enum { N_read = 0, N_write = 1, N_close = 3, N_mmap = 9, N_munmap = 11, N_sigprocmask = 14,
       N_clone = 56, N_execve = 59, N_exit = 60, N_wait4 = 61, N_kill = 62, N_fcntl = 72,
       N_chdir = 80, N_setsid = 112, N_clock_gettime = 228, N_exit_group = 231, N_ppoll = 271,
       N_signalfd4 = 289, N_dup3 = 292, N_pipe2 = 293, N_getpid = 39, N_capget = 125,
       N_getpriority = 140, N_getscheduler = 145, N_prctl = 157, N_getaffinity = 204,
       N_ioprio_get = 252, N_openat = 257, N_prlimit = 302 };
static long call(long n, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(result)
                   : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
__asm__(".globl _start\n_start:\n xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call begin\n");
#elif defined(__aarch64__)
enum { N_read = 63, N_write = 64, N_close = 57, N_mmap = 222, N_munmap = 215, N_sigprocmask = 135,
       N_clone = 220, N_execve = 221, N_exit = 93, N_wait4 = 260, N_kill = 129, N_fcntl = 25,
       N_chdir = 49, N_setsid = 157, N_clock_gettime = 113, N_exit_group = 94, N_ppoll = 73,
       N_signalfd4 = 74, N_dup3 = 24, N_pipe2 = 59, N_getpid = 172, N_capget = 90,
       N_getpriority = 141, N_getscheduler = 120, N_prctl = 167, N_getaffinity = 123,
       N_ioprio_get = 31, N_openat = 56, N_prlimit = 261 };
static long call(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
__asm__(".globl _start\n_start:\n mov x29,#0\n mov x0,sp\n and sp,x0,#-16\n bl begin\n");
#else
#error "this machine is not known"
#endif

#define call3(n, a, b, c) call(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)

struct pollfd { int fd; short events, revents; };
struct timespec { long seconds, nanoseconds; };

struct command {
  u32 id;
  int pid;                 /* 0: this slot is free */
  int in, out, err;        /* -1: closed */
  byte *request;
  size request_size;
  byte *input;             /* what it is still to read, within the request */
  size input_left;
  int ended;
  u32 status;
  long ended_at;           /* milliseconds */
};

/* What a process of the same user can change of another, and its children inherit. */
struct standing {
  unsigned long limits[LIMITS][2];
  unsigned long processors[128];
  long priority, scheduler, io_priority;
  byte memory[16]; /* oom_score_adj */
};

static struct command commands[COMMANDS];
static struct standing at_first;
static int is_first;       /* PID 1 of its own namespace: nobody else's processes are in it */
static byte piece[PIECE];
static char **environment;
static unsigned long own_mask;

void *memcpy(void *to, const void *from, size n) {
  byte *t = to;
  const byte *f = from;
  while (n--) *t++ = *f++;
  return to;
}

void *memset(void *to, int value, size n) {
  byte *t = to;
  while (n--) *t++ = (byte)value;
  return to;
}

static size length(const char *text) {
  size n = 0;
  while (text[n]) n++;
  return n;
}

static void leave(int status) {
  for (;;) call3(N_exit_group, status, 0, 0);
}

static void shut(int *fd) {
  if (*fd >= 0) call3(N_close, *fd, 0, 0);
  *fd = -1;
}

static void *take_memory(size n) {
  long at = call(N_mmap, 0, (long)n, PROT_RW, MAP_PRIVATE_ANON, -1, 0);
  return at < 0 && at > -4096 ? 0 : (void *)at;
}

static long now(void) {
  struct timespec time = {0, 0};
  call3(N_clock_gettime, CLOCK_MONOTONIC, &time, 0);
  return time.seconds * 1000 + time.nanoseconds / 1000000;
}

/* Whoever listened is gone when this fails: there is nothing left to do. */
static void send(const void *data, size n) {
  const byte *at = data;
  while (n) {
    long sent = call3(N_write, 1, at, n);
    if (sent == -EINTR) continue;
    if (sent <= 0) leave(1);
    at += sent;
    n -= (size)sent;
  }
}

static void answer(u32 id, u32 type, const void *data, u32 n) {
  u32 header[3] = {id, type, n};
  send(header, sizeof header);
  send(data, n);
}

static void answer_failure(u32 id, u32 stage, long error) {
  u32 failure[2] = {stage, (u32)error};
  answer(id, FAILED, failure, sizeof failure);
}

static int same_name(const char *variable, const char *other) {
  while (*variable && *variable == *other && *variable != '=') variable++, other++;
  return *variable == '=' && *other == '=';
}

static long try_exec(const char *path, char **argv, char **env) {
  return -call3(N_execve, path, argv, env);
}

/* As execvp(3) does, but by the PATH that the command gets, and without a shell for odd files. */
static long search_and_exec(char **argv, char **env) {
  const char *name = argv[0];
  for (const char *at = name; *at; at++)
    if (*at == '/') return try_exec(name, argv, env);
  const char *path = 0;
  for (char **variable = env; *variable; variable++)
    if (same_name(*variable, "PATH=")) path = *variable + 5;
  long error = ENOENT;
  size name_size = length(name);
  while (path) {
    size n = 0;
    while (path[n] && path[n] != ':') n++;
    if (n + name_size + 2 <= PIECE && name_size) {
      /* `piece` is the child's own copy by now. */
      memcpy(piece, n ? path : ".", n ? n : 1);
      size at = n ? n : 1;
      piece[at] = '/';
      memcpy(piece + at + 1, name, name_size + 1);
      long found = try_exec((char *)piece, argv, env);
      if (found == EACCES) error = EACCES;
      else if (found != ENOENT && found != ENOTDIR) return found;
    }
    path = path[n] ? path + n + 1 : 0;
  }
  return error;
}

static void become(const char *cwd, u32 argc, u32 envc, char *text, int in, int out, int err, int tell) {
  u32 failure[2] = {STAGE_MAKE, 0};
  size own = 0;
  while (environment[own]) own++;
  char **pointers = take_memory((argc + envc + own + 2) * sizeof *pointers);
  if (pointers) {
    char **argv = pointers;
    for (u32 i = 0; i < argc; i++, text += length(text) + 1) argv[i] = text;
    argv[argc] = 0;
    char **env = argv + argc + 1;
    size count = 0;
    for (; count < own; count++) env[count] = environment[count];
    for (u32 i = 0; i < envc; i++, text += length(text) + 1) {
      size at = 0;
      while (at < count && !same_name(text, env[at])) at++;
      env[at] = text;
      if (at == count) count++;
    }
    env[count] = 0;
    call3(N_setsid, 0, 0, 0);
    call3(N_dup3, in, 0, 0);
    call3(N_dup3, out, 1, 0);
    call3(N_dup3, err, 2, 0);
    call(N_sigprocmask, SIG_SETMASK, (long)&own_mask, 0, 8, 0, 0);
    long error = *cwd ? -call3(N_chdir, cwd, 0, 0) : 0;
    failure[0] = error ? STAGE_CWD : STAGE_EXEC;
    failure[1] = (u32)(error ? error : search_and_exec(argv, env));
  }
  call3(N_write, tell, failure, sizeof failure);
  for (;;) call3(N_exit, 127, 0, 0);
}

/* Say whether `count` strings end within the bytes, and where. */
static byte *skip_strings(byte *at, byte *end, u32 count) {
  while (count--) {
    while (at < end && *at) at++;
    if (at == end) return 0;
    at++;
  }
  return at;
}

static void run(u32 id, byte *request, size n) {
  u32 counts[3];
  struct command *command = commands;
  while (command < commands + COMMANDS && command->pid) command++;
  byte *text = request + 8 + sizeof counts;
  byte *end = request + n;
  byte *input = 0;
  if (n >= 8 + sizeof counts) {
    memcpy(counts, request + 8, sizeof counts);
    byte *words = skip_strings(text, end, 1);
    byte *variables = words && counts[0] < LONGEST ? skip_strings(words, end, counts[0]) : 0;
    input = variables && counts[1] < LONGEST ? skip_strings(variables, end, counts[1]) : 0;
  }
  int in[2], out[2], err[2], told[2];
  if (!input || !counts[0] || (size)(end - input) != counts[2] || command == commands + COMMANDS) {
    answer_failure(id, STAGE_MAKE, EMFILE);
    call3(N_munmap, request, n, 0);
    return;
  }
  if (call3(N_pipe2, in, O_CLOEXEC, 0) || call3(N_pipe2, out, O_CLOEXEC, 0) ||
      call3(N_pipe2, err, O_CLOEXEC, 0) || call3(N_pipe2, told, O_CLOEXEC, 0))
    leave(2);
  long pid = call(N_clone, SIGCHLD_, 0, 0, 0, 0, 0);
  if (pid == 0)
    become((char *)text, counts[0], counts[1], (char *)text + length((char *)text) + 1, in[0],
           out[1], err[1], told[1]);
  shut(&in[0]);
  shut(&out[1]);
  shut(&err[1]);
  shut(&told[1]);
  u32 failure[2] = {STAGE_MAKE, (u32)-pid};
  long got = pid < 0 ? (long)sizeof failure : 0;
  if (pid > 0)
    while ((got = call3(N_read, told[0], failure, sizeof failure)) == -EINTR) {}
  shut(&told[0]);
  if (got == sizeof failure) {
    shut(&in[1]);
    shut(&out[0]);
    shut(&err[0]);
    if (pid > 0) call(N_wait4, pid, 0, 0, 0, 0, 0);
    answer_failure(id, failure[0], failure[1]);
    call3(N_munmap, request, n, 0);
    return;
  }
  call3(N_fcntl, in[1], F_SETFL, O_NONBLOCK);
  call3(N_fcntl, out[0], F_SETFL, O_NONBLOCK);
  call3(N_fcntl, err[0], F_SETFL, O_NONBLOCK);
  *command = (struct command){.id = id, .pid = (int)pid, .in = in[1], .out = out[0], .err = err[0],
                              .request = request, .request_size = n, .input = input,
                              .input_left = counts[2]};
  if (!command->input_left) shut(&command->in);
}

/* Pass on what a command wrote; say whether there was anything. */
static int pass_on(struct command *command, int *fd, u32 type) {
  if (*fd < 0) return 0;
  long got = call3(N_read, *fd, piece, PIECE);
  if (got > 0) {
    answer(command->id, type, piece, (u32)got);
    return 1;
  }
  if (got != -EAGAIN && got != -EINTR) shut(fd);
  return 0;
}

static void feed(struct command *command) {
  long sent = call3(N_write, command->in, command->input, command->input_left);
  if (sent == -EAGAIN || sent == -EINTR) return;
  if (sent > 0) {
    command->input += sent;
    command->input_left -= (size)sent;
  }
  if (sent <= 0 || !command->input_left) shut(&command->in);
}

static void finish(struct command *command) {
  /* A pipe holds one piece; a background process may fill it again for ever. */
  for (int i = 0; i < 2; i++) {
    pass_on(command, &command->out, OUT);
    pass_on(command, &command->err, ERR);
  }
  shut(&command->in);
  shut(&command->out);
  shut(&command->err);
  answer(command->id, EXIT, &command->status, sizeof command->status);
  call3(N_munmap, command->request, command->request_size, 0);
  command->pid = 0;
}

/* Return 0 if children are left that have not ended, -ECHILD if there are none. */
static long reap(void) {
  u32 status = 0;
  long pid;
  while ((pid = call(N_wait4, -1, (long)&status, WNOHANG, 0, 0, 0)) > 0)
    for (struct command *command = commands; command < commands + COMMANDS; command++)
      if (command->pid == pid && !command->ended) {
        command->ended = 1;
        command->status = status;
        command->ended_at = now();
      }
  return pid;
}

static void note_standing(struct standing *standing) {
  memset(standing, 0, sizeof *standing);
  for (long i = 0; i < LIMITS; i++) call(N_prlimit, 0, i, 0, (long)standing->limits[i], 0, 0);
  call3(N_getaffinity, 0, sizeof standing->processors, standing->processors);
  standing->priority = call3(N_getpriority, 0, 0, 0);
  standing->scheduler = call3(N_getscheduler, 0, 0, 0);
  standing->io_priority = call3(N_ioprio_get, IOPRIO_WHO_PROCESS, 0, 0);
  int file = (int)call(N_openat, AT_FDCWD, (long)"/proc/self/oom_score_adj", O_CLOEXEC, 0, 0, 0);
  if (file < 0) return;
  call3(N_read, file, standing->memory, sizeof standing->memory);
  shut(&file);
}

static int has_changed(void) {
  static struct standing current;
  note_standing(&current);
  const byte *one = (const byte *)&at_first, *other = (const byte *)&current;
  for (size i = 0; i < sizeof current; i++)
    if (one[i] != other[i]) return 1;
  return 0;
}

/* Whether a command may do what the agent is not safe from. */
static int has_more_rights(void) {
  if (!is_first || call3(N_prctl, PR_GET_DUMPABLE, 0, 0) != 0) return 1;
  for (long i = 0; i < 64; i++)
    if (!(USUAL >> i & 1) && call3(N_prctl, PR_CAPBSET_READ, i, 0) == 1) return 1;
  u32 head[2] = {CAPABILITY_VERSION, 0}, sets[2][3];
  if (call3(N_capget, head, sets, 0)) return 1;
  for (int i = 0; i < 3; i++)
    if ((sets[0][i] | (unsigned long)sets[1][i] << 32) & ~USUAL) return 1;
  return 0;
}

/* Kill every other process, and say whether all are gone and none has left a mark on this one. */
static u32 sweep(void) {
  if (!is_first) return 0; /* these would be everybody's processes */
  for (long end = now() + SWEEP_MS; now() < end;) {
    call3(N_kill, -1, SIGKILL_, 0);
    /* All that is in the namespace came from here: no child is left, so nothing is. */
    if (reap() == -ECHILD) return !has_changed();
    struct timespec moment = {0, 1000000L};
    call(N_ppoll, 0, 0, (long)&moment, 0, 8, 0);
  }
  return 0;
}

static void read_fully(byte *at, size n) {
  while (n) {
    long got = call3(N_read, 0, at, n);
    if (got == -EINTR) continue;
    if (got <= 0) leave(0);
    at += got;
    n -= (size)got;
  }
}

static void take_request(void) {
  u32 n;
  read_fully((byte *)&n, sizeof n);
  if (n < 8 || n > LONGEST) leave(3);
  byte *request = take_memory(n);
  if (!request) leave(4);
  read_fully(request, n);
  u32 head[2];
  memcpy(head, request, sizeof head);
  if (head[1] == RUN) {
    run(head[0], request, n);
    return;
  }
  if (head[1] == SWEEP) {
    u32 clean = sweep();
    answer(head[0], SWEPT, &clean, sizeof clean);
  }
  if (head[1] == KILL)
    for (struct command *command = commands; command < commands + COMMANDS; command++)
      if (command->pid && command->id == head[0]) call3(N_kill, -command->pid, SIGKILL_, 0);
  call3(N_munmap, request, n, 0);
}

static void serve(int signals) {
  struct pollfd polled[2 + 3 * COMMANDS];
  for (;;) {
    int lingering = 0;
    polled[0] = (struct pollfd){.fd = 0, .events = POLLIN};
    polled[1] = (struct pollfd){.fd = signals, .events = POLLIN};
    for (int i = 0; i < COMMANDS; i++) {
      struct command *command = &commands[i];
      int used = command->pid != 0;
      struct pollfd *at = polled + 2 + 3 * i;
      at[0] = (struct pollfd){.fd = used ? command->in : -1, .events = POLLOUT};
      at[1] = (struct pollfd){.fd = used ? command->out : -1, .events = POLLIN};
      at[2] = (struct pollfd){.fd = used ? command->err : -1, .events = POLLIN};
      lingering |= used && command->ended;
    }
    struct timespec patience = {0, LINGER_POLL_MS * 1000000L};
    long ready = call(N_ppoll, (long)polled, 2 + 3 * COMMANDS, lingering ? (long)&patience : 0, 0, 8, 0);
    /* As where a command took the right to so many files from it: what it cannot see, it must not judge. */
    if (ready < 0 && ready != -EINTR) leave(6);
    if (polled[1].revents) {
      u32 info[32]; /* struct signalfd_siginfo: 128 bytes, the signal's number first */
      while (call3(N_read, signals, info, sizeof info) == (long)sizeof info)
        /* One that a process of the container sent has its pid, or a code of its own choice. */
        if (info[0] != SIGCHLD_ && (!is_first || (!info[2] && !info[3]))) leave(0);
      reap();
    }
    for (int i = 0; i < COMMANDS; i++) {
      struct command *command = &commands[i];
      struct pollfd *at = polled + 2 + 3 * i;
      if (!command->pid) continue;
      if (at[0].revents && command->in >= 0) feed(command);
      if (at[1].revents) pass_on(command, &command->out, OUT);
      if (at[2].revents) pass_on(command, &command->err, ERR);
      if (!command->ended) continue;
      int open = command->out >= 0 || command->err >= 0;
      if (!open || now() - command->ended_at >= LINGER_MS) finish(command);
    }
    if (polled[0].revents) take_request();
  }
}

__attribute__((used, noreturn)) void begin(long *stack) {
  call3(N_prctl, PR_SET_DUMPABLE, 0, 0);
  environment = (char **)(stack + 1 + stack[0] + 1);
  is_first = call3(N_getpid, 0, 0, 0) == 1;
  note_standing(&at_first);
  unsigned long mask = 1UL << (SIGCHLD_ - 1) | 1UL << (SIGTERM_ - 1) | 1UL << (SIGINT_ - 1);
  /* A command that does not read its input is no reason to end. */
  unsigned long blocked = mask | 1UL << (SIGPIPE_ - 1);
  call(N_sigprocmask, SIG_SETMASK, (long)&blocked, (long)&own_mask, 8, 0, 0);
  long signals = call(N_signalfd4, -1, (long)&mask, 8, SFD_FLAGS, 0, 0);
  if (signals < 0) leave(5);
  struct { char name[8]; u32 more; } hello = {"nixdock2", (u32)has_more_rights()};
  answer(0, HELLO, &hello, sizeof hello);
  serve((int)signals);
  __builtin_unreachable();
}
