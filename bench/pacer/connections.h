// The connections to the server: opened, sent a request on, closed and opened again.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "answer.h"
#include "options.h"

// Connections of one source address, so that ports suffice.
enum { PER_SOURCE = 5000, LINE_MAX_BYTES = 2048 };

enum state { CLOSED, CONNECTING, IDLE, ASKED };

// One connection, or one user. A user's `due` is when the next request is to leave, `owed` that it could not yet.
struct connection {
    int fd;
    enum state state;
    int owed, queued, answers;
    uint64_t due, free_since, sent_at;
    struct answer answer;
    char *fields;
    size_t fields_length;
};

static struct connection *connections;
static int epoll;
static uint64_t opened, numbered;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// Writes `text` with {user}, {group} and {address} replaced by what they are for a connection, {number} by `request`.
static size_t expand(char *into, size_t room, const char *text, unsigned user, uint64_t request) {
    size_t length = 0;
    while (*text && length + 32 < room) {
        if (strncmp(text, "{user}", 6) == 0) {
            length += (size_t)sprintf(into + length, "%u", user);
            text += 6;
        } else if (strncmp(text, "{group}", 7) == 0) {
            length += (size_t)sprintf(into + length, "%u", user % (unsigned)asked.groups);
            text += 7;
        } else if (strncmp(text, "{address}", 9) == 0) {
            length += (size_t)sprintf(into + length, "10.1.%u.%u", user >> 8, user & 255);
            text += 9;
        } else if (strncmp(text, "{number}", 8) == 0) {
            length += (size_t)sprintf(into + length, "%lu", request);
            text += 8;
        } else into[length++] = *text++;
    }
    if (*text) misused("a target or field that is too long", text);
    return length;
}

// Whether it differs from request to request.
static int is_numbered(const char *text) { return asked.numbers > 0 && strstr(text, "{number}") != NULL; }

static void prepare(struct connection *one, unsigned user) {
    static char line[LINE_MAX_BYTES];
    size_t length = asked.host ? (size_t)snprintf(line, LINE_MAX_BYTES / 2, "Host: %s\r\n", asked.host)
                               : (size_t)sprintf(line, "Host: 127.0.0.1:%d\r\n", asked.port);
    for (int i = 0; i < asked.field_count; i++) {
        if (is_numbered(asked.fields[i])) continue;
        length += expand(line + length, sizeof line - length - 4, asked.fields[i], user, 0);
        length += (size_t)sprintf(line + length, "\r\n");
    }
    length += (size_t)sprintf(line + length, "\r\n");
    one->fd = -1;
    one->fields = memcpy(malloc(length), line, length);
    one->fields_length = length;
    one->answer.head = malloc(HEAD_MAX);
}

static struct sockaddr_in address_of(uint32_t address, int port) {
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((unsigned short)port),
                                 .sin_addr.s_addr = htonl(address) };
}

// Begins to connect; returns 0 when that was refused at once.
static int open_connection(struct connection *one) {
    unsigned number = (unsigned)(one - connections);
    int on = 1;
    struct sockaddr_in source = address_of(INADDR_LOOPBACK + 1 + number / PER_SOURCE, 0);
    struct sockaddr_in server = address_of(INADDR_LOOPBACK, asked.port);
    one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (one->fd < 0) {
        perror("pacer: socket");
        exit(1);
    }
    // The port is chosen when connecting, so that many connections fit on one address.
    setsockopt(one->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    one->answers = 0;
    if (bind(one->fd, (struct sockaddr *)&source, sizeof source) < 0
        || (connect(one->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS)) {
        close(one->fd);
        one->fd = -1;
        return 0;
    }
    struct epoll_event interest = { .events = EPOLLOUT, .data.ptr = one };
    epoll_ctl(epoll, EPOLL_CTL_ADD, one->fd, &interest);
    one->state = CONNECTING;
    return 1;
}

// Returns 0 when the connection was refused.
static int finish_connecting(struct connection *one) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(one->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) return 0;
    struct epoll_event interest = { .events = EPOLLIN, .data.ptr = one };
    epoll_ctl(epoll, EPOLL_CTL_MOD, one->fd, &interest);
    opened++;
    return 1;
}

static void close_connection(struct connection *one) {
    if (one->fd >= 0) close(one->fd);
    one->fd = -1;
    one->state = CLOSED;
}

// Writes what differs from request to request: the first line, and the fields with a number.
static size_t write_numbered(char *into, size_t room, const char *target, unsigned user) {
    uint64_t request = asked.numbers ? numbered++ % asked.numbers : 0;
    size_t length = (size_t)sprintf(into, "GET ");
    length += expand(into + length, room - length, target, user, request);
    length += (size_t)sprintf(into + length, " HTTP/1.1\r\n");
    for (int i = 0; i < asked.field_count; i++) {
        if (!is_numbered(asked.fields[i])) continue;
        length += expand(into + length, room - length, asked.fields[i], user, request);
        length += (size_t)sprintf(into + length, "\r\n");
    }
    return length;
}

// Returns 0 when the socket did not take the whole request.
static int send_request(struct connection *one, const char *target) {
    static char line[LINE_MAX_BYTES];
    size_t length = write_numbered(line, sizeof line, target, (unsigned)(one - connections));
    struct iovec parts[] = { { line, length }, { one->fields, one->fields_length } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    expect_answer(&one->answer);
    one->state = ASKED;
    return sendmsg(one->fd, &message, MSG_NOSIGNAL) == (ssize_t)(parts[0].iov_len + parts[1].iov_len);
}
