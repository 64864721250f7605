// The floor of a proxy: copies bytes between clients and the origin, understands nothing, keeps nothing.
//
//   relay PORT ORIGIN-PORT
//
// One thread, one epoll. Each client connection has an origin connection of its own. What one side does not
// take at once waits, and the other side is not read meanwhile; when one side ends, both do.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 65536, EVENTS = 256 };

// One of the two sides of a pair: a socket, and bytes from the other side that it has not taken.
struct side {
    int fd;
    struct side *other;
    char *waiting;
    size_t from, length;
};

static int epoll;
static char scratch[BUFFER];
// Sides that ended in this turn: events about them may still follow, so they are freed after it.
static struct side *ended[2 * EVENTS];
static size_t ended_count;

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((unsigned short)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

// Reads while the other side has nothing waiting, writes while this one has.
static void watch(int operation, struct side *one) {
    struct epoll_event interest = { .data.ptr = one };
    interest.events = (one->other->length ? 0 : EPOLLIN) | (one->length ? EPOLLOUT : 0);
    epoll_ctl(epoll, operation, one->fd, &interest);
}

static void end(struct side *one) {
    struct side *both[] = { one, one->other };
    for (int i = 0; i < 2; i++) {
        close(both[i]->fd);
        both[i]->fd = -1;
        ended[ended_count++] = both[i];
    }
}

static void free_ended(void) {
    while (ended_count > 0) {
        struct side *one = ended[--ended_count];
        free(one->waiting);
        free(one);
    }
}

// How much of `bytes` the socket took; -1 when the connection is over.
static ssize_t take(struct side *one, const char *bytes, size_t length) {
    ssize_t count = send(one->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    return count < 0 && errno == EAGAIN ? 0 : count;
}

// Each returns 0 when the pair is over.
static int pass_on(struct side *to, size_t length) {
    ssize_t taken = take(to, scratch, length);
    if (taken < 0) return 0;
    if ((size_t)taken == length) return 1;
    if (to->waiting == NULL && (to->waiting = malloc(BUFFER)) == NULL) return 0;
    to->from = 0;
    to->length = length - (size_t)taken;
    memcpy(to->waiting, scratch + taken, to->length);
    watch(EPOLL_CTL_MOD, to);
    watch(EPOLL_CTL_MOD, to->other);
    return 1;
}

static int pass_waiting(struct side *one) {
    ssize_t taken = take(one, one->waiting + one->from, one->length);
    if (taken < 0) return 0;
    one->from += (size_t)taken;
    one->length -= (size_t)taken;
    if (one->length > 0) return 1;
    watch(EPOLL_CTL_MOD, one);
    watch(EPOLL_CTL_MOD, one->other);
    return 1;
}

static int serve(struct side *one, unsigned events) {
    if (one->length > 0 && events & EPOLLOUT && !pass_waiting(one)) return 0;
    if (!(events & EPOLLIN)) return !(events & (EPOLLERR | EPOLLHUP));
    // The other side may have stopped taking earlier in this turn.
    if (one->other->length > 0) return 1;
    ssize_t count = recv(one->fd, scratch, BUFFER, MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN;
    return count > 0 && pass_on(one->other, (size_t)count);
}

static struct side *side_of(int fd) {
    int on = 1;
    struct side *one = calloc(1, sizeof *one);
    if (one == NULL) abort();
    one->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return one;
}

static void accept_all(int listener, int origin_port) {
    struct sockaddr_in address = loopback(origin_port);
    int client;
    while ((client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        int origin = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (origin < 0 || connect(origin, (struct sockaddr *)&address, sizeof address) < 0) {
            perror("relay: connect");
            exit(1);
        }
        struct side *near = side_of(client), *far = side_of(origin);
        near->other = far;
        far->other = near;
        watch(EPOLL_CTL_ADD, near);
        watch(EPOLL_CTL_ADD, far);
    }
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: relay PORT ORIGIN-PORT\n");
        return 64;
    }
    struct sockaddr_in address = loopback(atoi(arguments[1]));
    int on = 1, origin_port = atoi(arguments[2]);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) {
        perror("relay: listen");
        return 1;
    }
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event interest = { .events = EPOLLIN, .data.ptr = NULL }, events[EVENTS];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &interest);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            struct side *one = events[i].data.ptr;
            if (one == NULL) accept_all(listener, origin_port);
            else if (one->fd >= 0 && !serve(one, events[i].events)) end(one);
        }
        free_ended();
    }
}
