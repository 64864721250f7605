#pragma once
// What Glibc's own Swift module lacks: epoll, eventfd, signalfd, accept4 and the macros Swift cannot import.
// _GNU_SOURCE must not be defined here: with it types differ from those of Swift's Glibc module, and the first
// compilation that sees both modules fails.
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static inline int weir_errno(void) { return errno; }

/// Variadic functions are not imported.
static inline int weir_create_for_writing(const char *path) {
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/// accept4 is a GNU extension that Swift's importer does not see without _GNU_SOURCE.
extern int accept4(int, struct sockaddr *, socklen_t *, int);
static inline int weir_accept4(int fd, struct sockaddr *address, socklen_t *length) {
    return accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// So are pipe2, F_SETPIPE_SZ and splice.
extern int weir_pipe2(int *, int) __asm__("pipe2");
extern ssize_t weir_system_splice(int, void *, int, void *, size_t, unsigned) __asm__("splice");

/// Makes a pipe that never blocks, in which `size` bytes fit where the system allows as much; 0, or -errno.
static inline int weir_pipe(int *read_end, int *write_end, int size) {
    int ends[2];
    const int set_size = 1031;
    if (weir_pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) return -errno;
    fcntl(ends[1], set_size, size);
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}

/// Moves at most `count` bytes between a socket and a pipe; their number, or -errno.
static inline ssize_t weir_splice(int from, int to, size_t count) {
    const unsigned move_and_never_block = 1 | 2;
    ssize_t moved = weir_system_splice(from, NULL, to, NULL, count, move_and_never_block);
    return moved < 0 ? -errno : moved;
}

/// Receives at most `count` bytes; their number, or -errno.
///
/// This and `weir_send` call the system themselves: around each call of recv and send glibc makes the thread cancellable
/// and takes it back, two atomic writes that serve pthread_cancel, which nobody calls here.
static inline ssize_t weir_receive(int fd, void *buffer, size_t count) {
    ssize_t n = syscall(SYS_recvfrom, fd, buffer, count, 0, NULL, NULL);
    return n < 0 ? -errno : n;
}

/// Sends what fits of `count` bytes; their number, or -errno. A closed peer is an error, not a signal.
static inline ssize_t weir_send(int fd, const void *bytes, size_t count) {
    ssize_t n = syscall(SYS_sendto, fd, bytes, count, MSG_NOSIGNAL, NULL, 0);
    return n < 0 ? -errno : n;
}

static inline int weir_socket(int family) {
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/// The sockaddr variants as one value, so that no pointer cast is needed on the Swift side.
struct weir_address {
    int family;            // AF_INET, AF_INET6, AF_UNIX; 0: unknown
    uint8_t bytes[16];     // network order; the first four for AF_INET
    uint16_t port;         // host order
    char path[108];        // AF_UNIX
};

static inline socklen_t weir_to_sockaddr(const struct weir_address *from, struct sockaddr_storage *to) {
    memset(to, 0, sizeof *to);
    if (from->family == AF_INET) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)to;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(from->port);
        memcpy(&v4->sin_addr, from->bytes, 4);
        return sizeof *v4;
    }
    if (from->family == AF_INET6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(from->port);
        memcpy(&v6->sin6_addr, from->bytes, 16);
        return sizeof *v6;
    }
    struct sockaddr_un *un = (struct sockaddr_un *)to;
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, from->path, sizeof un->sun_path);
    return sizeof *un;
}

static inline void weir_from_sockaddr(const struct sockaddr_storage *from, struct weir_address *to) {
    memset(to, 0, sizeof *to);
    to->family = from->ss_family;
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        memcpy(to->bytes, &v4->sin_addr, 4);
        to->port = ntohs(v4->sin_port);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
        memcpy(to->bytes, &v6->sin6_addr, 16);
        to->port = ntohs(v6->sin6_port);
    }
}

/// Accepts one connection and tells its peer; the descriptor, or -errno.
static inline int weir_accept(int fd, struct weir_address *peer) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    storage.ss_family = 0;
    int accepted = weir_accept4(fd, (struct sockaddr *)&storage, &length);
    if (accepted < 0) return -errno;
    weir_from_sockaddr(&storage, peer);
    return accepted;
}

/// Whether `path` is the socket of a program that has gone without removing it: nobody listens there.
/// Other kinds of files are refused in the same way by connect, and must stay.
static inline int weir_is_abandoned(const struct weir_address *address) {
    struct stat status;
    if (lstat(address->path, &status) < 0 || !S_ISSOCK(status.st_mode)) return 0;
    struct sockaddr_storage storage;
    socklen_t length = weir_to_sockaddr(address, &storage);
    int fd = weir_socket(AF_UNIX);
    if (fd < 0) return 0;
    int refused = connect(fd, (struct sockaddr *)&storage, length) < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

/// Sets what all TCP sockets have: no Nagle's delay. Towards this machine itself also the simplest congestion control:
/// there is nothing to probe or to pace, and a system's BBR does both for every segment.
static inline void weir_set_tcp_options(int fd, const struct weir_address *address) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int is_local = address->family == AF_INET
        ? address->bytes[0] == 127
        : IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)address->bytes);
    if (is_local) setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

/// Binds and listens; the descriptor, or -errno. An abandoned Unix socket is replaced.
static inline int weir_listen(const struct weir_address *address, int backlog, int reuse_port) {
    struct sockaddr_storage storage;
    socklen_t length = weir_to_sockaddr(address, &storage);
    int fd = weir_socket(address->family);
    if (fd < 0) return -errno;
    int one = 1;
    if (address->family != AF_UNIX) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        // Accepted sockets inherit them.
        weir_set_tcp_options(fd, address);
        if (reuse_port) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    }
    int bound = bind(fd, (struct sockaddr *)&storage, length);
    if (bound < 0 && errno == EADDRINUSE && address->family == AF_UNIX && weir_is_abandoned(address)) {
        unlink(address->path);
        bound = bind(fd, (struct sockaddr *)&storage, length);
    }
    if (bound < 0 || listen(fd, backlog) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

/// Starts to connect; the descriptor (connected, or on its way), or -errno.
static inline int weir_connect(const struct weir_address *address) {
    struct sockaddr_storage storage;
    socklen_t length = weir_to_sockaddr(address, &storage);
    int fd = weir_socket(address->family);
    if (fd < 0) return -errno;
    if (address->family != AF_UNIX) weir_set_tcp_options(fd, address);
    if (connect(fd, (struct sockaddr *)&storage, length) < 0 && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

/// The error of a connect that has ended, 0 when it succeeded.
static inline int weir_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return errno;
    return error;
}

/// Makes the close of `fd` a reset.
static inline void weir_reset_on_close(int fd) {
    struct linger linger = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static inline int weir_local_address(int fd, struct weir_address *local) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &length) < 0) return -errno;
    weir_from_sockaddr(&storage, local);
    return 0;
}

/// Whether the calling thread is `owner`.
static inline int weir_is_thread(uintptr_t owner) { return (uintptr_t)pthread_self() == owner; }
static inline uintptr_t weir_thread(void) { return (uintptr_t)pthread_self(); }

/// Resolves a name to at most `max` addresses; their number, or a negative getaddrinfo error. Blocks.
static inline int weir_resolve(const char *name, struct weir_address *addresses, int max) {
    struct addrinfo hints, *list = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    int error = getaddrinfo(name, NULL, &hints, &list);
    if (error != 0) return error < 0 ? error : -error;
    int count = 0;
    for (struct addrinfo *at = list; at != NULL && count < max; at = at->ai_next) {
        if (at->ai_addrlen > sizeof(struct sockaddr_storage)) continue;
        struct sockaddr_storage storage;
        memset(&storage, 0, sizeof storage);
        memcpy(&storage, at->ai_addr, at->ai_addrlen);
        weir_from_sockaddr(&storage, &addresses[count++]);
    }
    freeaddrinfo(list);
    return count;
}

/// A GNU extension, with its mask as plain words.
extern int weir_sched_getaffinity(pid_t, size_t, unsigned long *) __asm__("sched_getaffinity");

/// The processors this process may run on.
static inline int weir_processors(void) {
    unsigned long mask[16 * 1024 / (8 * sizeof(unsigned long))];
    memset(mask, 0, sizeof mask);
    if (weir_sched_getaffinity(0, sizeof mask, mask) < 0) return 1;
    int count = 0;
    for (size_t i = 0; i < sizeof mask / sizeof mask[0]; i++) count += __builtin_popcountl(mask[i]);
    return count > 0 ? count : 1;
}

/// Raises the limit of open descriptors as far as it goes; the limit.
static inline uint64_t weir_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

extern char **environ;
static inline const char *weir_environment(int index) { return environ[index]; }

static inline int weir_open_for_reading(const char *path) { return open(path, O_RDONLY | O_CLOEXEC); }
static inline void weir_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }
