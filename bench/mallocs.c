// Counts the allocations of the program it is preloaded into: LD_PRELOAD=mallocs.so.
//
// WEIR_BENCH_MALLOCS names a file of 8 bytes; the count stands in it, readable by the bench while
// the program runs. Children of a fork add to the same count. malloc, calloc, realloc and the
// aligned ones are counted, free is not. Threads add with a relaxed atomic: only the sum matters.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// glibc's own names, so that nothing has to be looked up before the first call.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static unsigned long long before_mapping;
static unsigned long long *count = &before_mapping;

static void counted(void) { __atomic_fetch_add(count, 1, __ATOMIC_RELAXED); }

__attribute__((constructor)) static void map_count(void) {
    const char *path = getenv("WEIR_BENCH_MALLOCS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *page = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page != MAP_FAILED) count = page;
}

void *malloc(size_t size) { counted(); return __libc_malloc(size); }
void *calloc(size_t number, size_t size) { counted(); return __libc_calloc(number, size); }
void *realloc(void *old, size_t size) { counted(); return __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { counted(); return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { counted(); return __libc_memalign(alignment, size); }

int posix_memalign(void **into, size_t alignment, size_t size) {
    counted();
    void *block = __libc_memalign(alignment, size);
    if (block == NULL) return ENOMEM;
    *into = block;
    return 0;
}
