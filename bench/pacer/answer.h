// Reads one HTTP/1.1 answer as its bytes arrive: the status, and a body with a Content-Length.
#pragma once
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEAD_MAX = 4096 };

enum progress { ANSWER_NEEDS_MORE, ANSWER_WHOLE, ANSWER_WRONG_STATUS, ANSWER_WRONG_BODY, ANSWER_MALFORMED };

struct answer {
    char *head;          // What has arrived of a head that is not yet whole: HEAD_MAX bytes.
    size_t filled;
    long body_left;      // -1 until the head was read.
    long length;         // Of the whole body.
    int status;
    int closes;          // The server will close the connection after it.
};

static inline void expect_answer(struct answer *one) {
    one->filled = 0;
    one->body_left = -1;
    one->status = 0;
    one->length = 0;
    one->closes = 0;
}

// The value of a field in a head that ends with a zero; NULL when it is not there.
static inline const char *field_of(const char *head, const char *name) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " ");
    }
    return NULL;
}

static inline enum progress read_head(struct answer *one, long body, int any_status) {
    if (strncmp(one->head, "HTTP/1.1 ", 9) != 0) return ANSWER_MALFORMED;
    one->status = atoi(one->head + 9);
    if (one->status != 200 && !any_status) return ANSWER_WRONG_STATUS;
    const char *length = field_of(one->head, "content-length"), *connection = field_of(one->head, "connection");
    if (length == NULL) return ANSWER_MALFORMED;
    one->body_left = one->length = atol(length);
    one->closes = connection != NULL && strncasecmp(connection, "close", 5) == 0;
    return body >= 0 && one->body_left != body ? ANSWER_WRONG_BODY : ANSWER_NEEDS_MORE;
}

// Takes `count` bytes that arrived; `body` is the length the body must have, or -1. More than one answer is malformed,
// another status than 200 is wrong unless any will do.
static inline enum progress read_answer(
    struct answer *one, const char *bytes, size_t count, long body, int any_status) {
    if (one->body_left < 0) {
        size_t before = one->filled, taken = count < HEAD_MAX - 1 - before ? count : HEAD_MAX - 1 - before;
        memcpy(one->head + before, bytes, taken);
        one->filled += taken;
        one->head[one->filled] = 0;
        char *end = strstr(one->head, "\r\n\r\n");
        if (end == NULL) return one->filled == HEAD_MAX - 1 ? ANSWER_MALFORMED : ANSWER_NEEDS_MORE;
        end[2] = 0;
        enum progress head = read_head(one, body, any_status);
        if (head != ANSWER_NEEDS_MORE) return head;
        count -= (size_t)(end + 4 - one->head) - before;
    }
    if ((long)count > one->body_left) return ANSWER_MALFORMED;
    one->body_left -= (long)count;
    return one->body_left == 0 ? ANSWER_WHOLE : ANSWER_NEEDS_MORE;
}
