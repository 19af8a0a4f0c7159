// Loaded in front of exeat's libraries by the tests of faults: clocks that can be stepped and an allocator that can be told to
// fail, both by a page of memory that the test shares (preload.py). Without -DALLOCATIONS it is the clocks alone, for sanitizer builds.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct control {
    volatile long wall_offset;   // seconds
    volatile long seen;          // allocations of the watched threads
    volatile long first;         // the first of them that fails, by its number; 0: none
    volatile long length;        // so many fail one after the other
    volatile long failed;        // so many have
    volatile long every;         // 1: every thread is watched, not only those that accept connections
    volatile long steady_offset; // seconds
    volatile long boot_offset;   // seconds
};

static struct control nothing, *told = &nothing;

__attribute__((constructor)) static void begin(void)
{
    const char* path = getenv("FAULTS_CONTROL");
    const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void* page = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page != MAP_FAILED) told = page;
}

int clock_gettime(clockid_t which, struct timespec* out)
{
    const int said = (int)syscall(SYS_clock_gettime, which, out);
    if (said == 0 && which == CLOCK_REALTIME) out->tv_sec += told->wall_offset;
    if (said == 0 && which == CLOCK_MONOTONIC) out->tv_sec += told->steady_offset;
    if (said == 0 && which == CLOCK_BOOTTIME) out->tv_sec += told->boot_offset;
    return said;
}

// The kernel knows nothing of the offset: who waits until a moment means one of this clock.
int pthread_cond_clockwait(pthread_cond_t* c, pthread_mutex_t* m, clockid_t which, const struct timespec* until)
{
    static int (*real)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const struct timespec*);
    if (!real) *(void**)&real = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
    struct timespec there = *until;
    if (which == CLOCK_MONOTONIC) there.tv_sec -= told->steady_offset;
    return real(c, m, which, &there);
}

#ifdef ALLOCATIONS
extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);

static __thread int accepts __attribute__((tls_model("initial-exec")));

// A worker is known by what it does all the time, and the main thread only at start.
int accept4(int fd, struct sockaddr* peer, socklen_t* size, int flags)
{
    accepts = gettid() != getpid();
    return (int)syscall(SYS_accept4, fd, peer, size, flags);
}

static int fails(void)
{
    if (!accepts && !told->every) return 0;
    const long number = __atomic_add_fetch(&told->seen, 1, __ATOMIC_RELAXED);
    const long first = told->first;
    if (first == 0 || number < first || number >= first + told->length) return 0;
    __atomic_add_fetch(&told->failed, 1, __ATOMIC_RELAXED);
    errno = ENOMEM;
    return 1;
}

void* malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void* calloc(size_t n, size_t size) { return fails() ? NULL : __libc_calloc(n, size); }
void* realloc(void* p, size_t size) { return fails() ? NULL : __libc_realloc(p, size); }
void* aligned_alloc(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }
void* memalign(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }

int posix_memalign(void** out, size_t alignment, size_t size)
{
    if (fails()) return ENOMEM;
    *out = __libc_memalign(alignment, size);
    return *out ? 0 : ENOMEM;
}
#endif
