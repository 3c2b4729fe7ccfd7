/*
 * A library that a program is made to load first. It finds files of the program's own store path (and of
 * those it may refer to) where the program looks for them below Debian's absolute paths, such as /usr, and
 * sets variables of its environment before it starts.
 *
 * guide.py puts the tables before this text and compiles both with tcc, without any header. It defines
 *
 *     struct place { const char *from; const char *to; int mode; };
 *     static const struct place places[];         ends with a zero, as the next one
 *     struct variable { const char *name; const char *value; int mode; };
 *     static const struct variable variables[];
 *
 * A path that begins with `from` is looked for below `to`, and used there if it exists; with mode 1 only
 * where the path itself does not exist, with mode 2 always, whatever is there. All other paths are left as
 * they are. A variable is set where it
 * is not set already; with a mode that is not zero the value is put before (1) or behind (2) the one that it
 * has, and a colon between.
 *
 * Arguments that glibc declares as variable (the mode of open) are passed as fixed ones: on the machines
 * that Debian and Nix share, both are passed in the same registers.
 */

typedef unsigned long size_t;
typedef long ssize_t;

extern void *dlsym(void *handle, const char *name);
extern size_t strlen(const char *text);
extern int strncmp(const char *a, const char *b, size_t size);
extern void *memcpy(void *to, const void *from, size_t size);
extern int *__errno_location(void);
extern char *getenv(const char *name);
extern int setenv(const char *name, const char *value, int replace);
extern void *malloc(size_t size);

#define NEXT ((void *)-1L) /* RTLD_NEXT */
#define LONGEST 4096

static int (*real_access)(const char *, int);

static int exists(const char *path) {
  if (!real_access)
    real_access = dlsym(NEXT, "access");
  return real_access(path, 0) == 0;
}

static const char *find(const char *path, char *buffer) {
  const struct place *place;
  int before;

  if (!path || path[0] != '/')
    return path;
  before = *__errno_location();
  for (place = places; place->from; place++) {
    size_t head = strlen(place->from), root = strlen(place->to), rest;
    if (strncmp(path, place->from, head) || (path[head] && path[head] != '/'))
      continue;
    if (place->mode == 1 && exists(path))
      break;
    rest = strlen(path + head);
    if (root + rest >= LONGEST)
      continue;
    memcpy(buffer, place->to, root);
    memcpy(buffer + root, path + head, rest + 1);
    if (place->mode == 2 || exists(buffer)) {
      path = buffer;
      break;
    }
  }
  *__errno_location() = before;
  return path;
}

/* A function with a parameter `path`: the same one of the next library, with the path that is found. */
#define GUIDED(type, name, parameters, ...)                                                                   \
  type name parameters {                                                                                     \
    static type(*real) parameters;                                                                           \
    char buffer[LONGEST];                                                                                    \
    if (!real)                                                                                               \
      real = dlsym(NEXT, #name);                                                                             \
    path = find(path, buffer);                                                                                 \
    return real(__VA_ARGS__);                                                                                \
  }

GUIDED(int, open, (const char *path, int flags, unsigned mode), path, flags, mode)
GUIDED(int, open64, (const char *path, int flags, unsigned mode), path, flags, mode)
GUIDED(int, openat, (int at, const char *path, int flags, unsigned mode), at, path, flags, mode)
GUIDED(int, openat64, (int at, const char *path, int flags, unsigned mode), at, path, flags, mode)
GUIDED(void *, fopen, (const char *path, const char *mode), path, mode)
GUIDED(void *, fopen64, (const char *path, const char *mode), path, mode)
GUIDED(void *, opendir, (const char *path), path)
GUIDED(int, scandir, (const char *path, void *names, void *keep, void *compare), path, names, keep, compare)
GUIDED(int, stat, (const char *path, void *status), path, status)
GUIDED(int, stat64, (const char *path, void *status), path, status)
GUIDED(int, lstat, (const char *path, void *status), path, status)
GUIDED(int, lstat64, (const char *path, void *status), path, status)
GUIDED(int, fstatat, (int at, const char *path, void *status, int flags), at, path, status, flags)
GUIDED(int, fstatat64, (int at, const char *path, void *status, int flags), at, path, status, flags)
GUIDED(int, statx, (int at, const char *path, int flags, unsigned mask, void *status), at, path, flags, mask,
      status)
GUIDED(int, __xstat, (int version, const char *path, void *status), version, path, status)
GUIDED(int, __xstat64, (int version, const char *path, void *status), version, path, status)
GUIDED(int, __lxstat, (int version, const char *path, void *status), version, path, status)
GUIDED(int, __lxstat64, (int version, const char *path, void *status), version, path, status)
GUIDED(int, access, (const char *path, int mode), path, mode)
GUIDED(int, eaccess, (const char *path, int mode), path, mode)
GUIDED(int, euidaccess, (const char *path, int mode), path, mode)
GUIDED(int, faccessat, (int at, const char *path, int mode, int flags), at, path, mode, flags)
GUIDED(ssize_t, readlink, (const char *path, char *target, size_t size), path, target, size)
GUIDED(char *, realpath, (const char *path, char *resolved), path, resolved)
GUIDED(int, chdir, (const char *path), path)
GUIDED(int, chroot, (const char *path), path)
GUIDED(int, execv, (const char *path, void *words), path, words)
GUIDED(int, execve, (const char *path, void *words, void *environment), path, words, environment)
GUIDED(int, posix_spawn,
      (void *process, const char *path, void *actions, void *attributes, void *words, void *environment), process,
      path, actions, attributes, words, environment)

#ifdef GUIDE_MOVES
/* Only on request: what a program makes and removes is its own, but where another name was compiled in. */
GUIDED(int, mkdir, (const char *path, unsigned mode), path, mode)
GUIDED(int, chmod, (const char *path, unsigned mode), path, mode)
GUIDED(int, chown, (const char *path, unsigned user, unsigned group), path, user, group)
GUIDED(int, unlink, (const char *path), path)
GUIDED(int, rename, (const char *path, const char *to), path, to)
GUIDED(int, utimes, (const char *path, const void *times), path, times)
#endif

#ifdef GUIDE_LIBRARIES
/* Only on request: a library of a bare name is looked for where the caller says, and this is the caller. */
GUIDED(void *, dlopen, (const char *path, int flags), path, flags)
#endif

/* Whether a value begins with (1) or ends in (2) another one: then a program like this has started this one. */
static int has(const char *whole, const char *part, int mode) {
  size_t length = strlen(whole), size = strlen(part);

  if (size > length)
    return 0;
  return !strncmp(mode == 1 ? whole : whole + length - size, part, size);
}

static void join(const char *name, const char *first, const char *second) {
  size_t head = strlen(first), tail = strlen(second);
  char *both = malloc(head + tail + 2);

  if (!both)
    return;
  memcpy(both, first, head);
  both[head] = ':';
  memcpy(both + head + 1, second, tail + 1);
  setenv(name, both, 1);
}

__attribute__((constructor)) static void begin(void) {
  const struct variable *variable;

  for (variable = variables; variable->name; variable++) {
    const char *old = getenv(variable->name), *value = variable->value;
    if (!variable->mode || !old || !*old)
      setenv(variable->name, value, variable->mode);
    else if (!has(old, value, variable->mode) && variable->mode == 1)
      join(variable->name, value, old);
    else if (!has(old, value, variable->mode))
      join(variable->name, old, value);
  }
}
