// The origin behind the proxies that are measured, and by itself the floor: the least a server can do.
//
//   origin PORT
//
// One thread, one epoll, keep-alive and pipelining, answers fixed in advance. A request gets 1,024 bytes,
// 102,400 when its target begins with /cached/100k, or 1,048,576 when it begins with /1m; a target that begins with /cached may be stored
// for an hour, others must not be. Date says when the origin was started.
// GET /count answers how many requests came before it, itself and other /count left out: by that
// the bench knows that a hit did not reach the origin. Requests with a body are not understood.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BODY = 1024, LARGE_BODY = 102400, HUGE_BODY = 1048576, HEAD_MAX = 8192, EVENTS = 256, DESCRIPTORS = 65536,
       ANSWER_MAX = HUGE_BODY + 1024 };

struct connection {
    size_t filled;        // Bytes in `bytes` that belong to a head not yet whole.
    const char *rest;     // What the socket has not taken yet of an answer.
    size_t rest_length;
    char bytes[HEAD_MAX];
};

static struct connection *connections[DESCRIPTORS];
static char fresh[ANSWER_MAX], stored[ANSWER_MAX], large[ANSWER_MAX], huge[ANSWER_MAX];
static size_t fresh_length, stored_length, large_length, huge_length;
static unsigned long long answered;
static int epoll;

static size_t compose(char *into, const char *cache_control, size_t body) {
    char date[64];
    time_t now = time(NULL);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
    int head = snprintf(into, ANSWER_MAX,
        "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: application/octet-stream\r\n"
        "Content-Length: %zu\r\nCache-Control: %s\r\n\r\n", date, body, cache_control);
    memset(into + head, 'x', body);
    return (size_t)head + body;
}

static void drop(int fd) {
    free(connections[fd]);
    connections[fd] = NULL;
    close(fd);
}

// Sends what the socket takes; the rest follows when it can be written, and no request is read until then.
// `bytes` stay what they are. Returns 0 when the connection is over.
static int send_all(int fd, const char *bytes, size_t length) {
    ssize_t count = send(fd, bytes, length, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) return 0;
    size_t sent = count < 0 ? 0 : (size_t)count;
    connections[fd]->rest = bytes + sent;
    connections[fd]->rest_length = length - sent;
    return 1;
}

static void wait_for(int fd, unsigned events) {
    struct epoll_event interest = { .events = events, .data.fd = fd };
    epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &interest);
}

static int answer(int fd, const char *head, size_t length) {
    if (length > 11 && memcmp(head, "GET /count ", 11) == 0) {
        static char whole[256];
        char body[32];
        int digits = snprintf(body, sizeof body, "%llu", answered);
        int size = snprintf(whole, sizeof whole,
            "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nCache-Control: no-store\r\n\r\n%s", digits, body);
        return send_all(fd, whole, (size_t)size);
    }
    answered++;
    if (length > 16 && memcmp(head, "GET /cached/100k", 16) == 0)
        return send_all(fd, large, large_length);
    if (length > 7 && memcmp(head, "GET /1m", 7) == 0)
        return send_all(fd, huge, huge_length);
    if (length > 11 && memcmp(head, "GET /cached", 11) == 0)
        return send_all(fd, stored, stored_length);
    return send_all(fd, fresh, fresh_length);
}

// Answers every whole head that has arrived, until an answer has to wait for the socket.
static int answer_arrived(int fd) {
    struct connection *one = connections[fd];
    char *at = one->bytes, *end = one->bytes + one->filled, *stop;
    while (one->rest_length == 0 && (stop = memmem(at, (size_t)(end - at), "\r\n\r\n", 4)) != NULL) {
        if (!answer(fd, at, (size_t)(stop - at) + 4)) return 0;
        at = stop + 4;
    }
    one->filled = (size_t)(end - at);
    memmove(one->bytes, at, one->filled);
    if (one->rest_length > 0) wait_for(fd, EPOLLOUT);
    return 1;
}

// Reads what is there and answers it. Returns 0 when the connection is over.
static int serve(int fd) {
    struct connection *one = connections[fd];
    if (one->rest_length > 0) {
        if (!send_all(fd, one->rest, one->rest_length)) return 0;
        if (one->rest_length > 0) return 1;
        wait_for(fd, EPOLLIN);
        return answer_arrived(fd);
    }
    if (one->filled == HEAD_MAX) return 0;
    ssize_t count = recv(fd, one->bytes + one->filled, HEAD_MAX - one->filled, 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    one->filled += (size_t)count;
    return answer_arrived(fd);
}

static void accept_all(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct epoll_event interest = { .events = EPOLLIN, .data.fd = fd };
        if (fd >= DESCRIPTORS || (connections[fd] = malloc(sizeof(struct connection))) == NULL) {
            close(fd);
            continue;
        }
        connections[fd]->filled = connections[fd]->rest_length = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest);
    }
}

static int listen_on(unsigned short port) {
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4096) < 0) {
        perror("origin: listen");
        exit(1);
    }
    return fd;
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: origin PORT\n");
        return 64;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    fresh_length = compose(fresh, "no-store", BODY);
    stored_length = compose(stored, "max-age=3600", BODY);
    large_length = compose(large, "max-age=3600", LARGE_BODY);
    huge_length = compose(huge, "no-store", HUGE_BODY);

    int listener = listen_on((unsigned short)atoi(arguments[1]));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event interest = { .events = EPOLLIN, .data.fd = listener }, events[EVENTS];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &interest);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener) accept_all(listener);
            else if (!serve(events[i].data.fd)) drop(events[i].data.fd);
        }
    }
}
