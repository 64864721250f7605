// When requests are due: a rate over time, or users that think, in a heap by the time they are due.
#pragma once
#include "connections.h"

static uint64_t chance_state;

// Evenly from 0 up to 1.
static double chance(void) {
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (double)(chance_state >> 11) / 9007199254740992.0;
}

static double rate_at(double second) {
    const struct point *at = asked.points, *last = at + asked.point_count - 1;
    while (at < last && at[1].second <= second) at++;
    if (at == last || second < at->second || at[1].second == at->second) return at->rate;
    return at->rate + (at[1].rate - at->rate) * (second - at->second) / (at[1].second - at->second);
}

static struct connection **heap;
static int heap_count;

static void push(struct connection *one) {
    int at = heap_count++;
    for (; at > 0 && heap[(at - 1) / 2]->due > one->due; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = one;
}

static struct connection *pop(void) {
    struct connection *first = heap[0], *moved = heap[--heap_count];
    int at = 0;
    for (int child; (child = 2 * at + 1) < heap_count; at = child) {
        if (child + 1 < heap_count && heap[child + 1]->due < heap[child]->due) child++;
        if (heap[child]->due >= moved->due) break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
    return first;
}

// Idle connections in the order in which they became free; each is in it once at most.
static struct connection **queue;
static int queue_from, queue_count;

static void enqueue(struct connection *one) {
    if (one->queued) return;
    one->queued = 1;
    queue[(queue_from + queue_count++) % asked.connections] = one;
}

// The connection that has been idle for longest; NULL when all are busy.
static struct connection *dequeue(void) {
    while (queue_count > 0) {
        struct connection *one = queue[queue_from];
        queue_from = (queue_from + 1) % asked.connections;
        queue_count--;
        one->queued = 0;
        if (one->state == IDLE) return one;
    }
    return NULL;
}
