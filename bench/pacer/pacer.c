// A load generator that keeps to a schedule: pacer PORT --rate 5000 --connections 64 --target /1k
//
// One thread, one epoll, HTTP/1.1 on keep-alive connections to 127.0.0.1. With --rate requests are due at fixed
// moments whatever the server does; one that finds no idle connection leaves later. With --think every
// connection is a user who asks, waits for the answer, thinks for a random time and asks again. Latency counts from
// the moment a request was due, so a slow server cannot hide by holding up the load. With --in-flight there is no
// schedule: so many requests are always under way, over the connections in turn, and latency counts from sending.
// Every answer must be a 200 with a whole body.
//
// Prints one line of JSON; with --slice one for every so many seconds before it, of the answers that came in them.
// Times are microseconds. `late_us` says how late the generator itself was: the time from the moment a request was
// due, and a connection idle, until it was sent; `saturation` the share of the time in which it ran or waited for its
// core: near 1 it was too slow to tell its own delays from the server's. Errors count from the first request, latency from the end of --warm-up.
// SIGTERM ends a run early; what was asked is waited for.
#include "connections.h"
#include "histogram.h"
#include "schedule.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { EVENTS = 64, CONNECTING_MAX = 256, RECEIVE = 65536 };
#define SWEEP 100000000ULL

enum error { NO_CONNECTION, CLOSED_EARLY, WRONG_STATUS, WRONG_BODY, MALFORMED, TIMED_OUT, UNSENT, ERROR_KINDS };
static const char *const error_names[] = { "connect", "closed", "status", "body", "malformed", "timeout", "unsent" };

static struct histogram latency, late, slice;
static uint64_t errors[ERROR_KINDS], sent, answered, waiting, begun_requests, slice_sent, slice_errors;
static uint64_t begun, measured_from, until, next_due, next_sweep, next_slice;
static int first_wrong_status;
static FILE *trace;
static volatile sig_atomic_t is_told_to_leave;

static int thinking(void) { return asked.think_to > 0; }
static int scheduled(void) { return asked.point_count > 0; }

static void count_error(enum error kind) {
    errors[kind]++;
    slice_errors++;
}

static void think(struct connection *one, uint64_t from) {
    one->due = from + (uint64_t)(1e9 * (asked.think_from + chance() * (asked.think_to - asked.think_from)));
    if (one->due < until) push(one);
}

static void fail(struct connection *one, enum error kind, uint64_t time);

static void note(const struct connection *one, int status, uint64_t time) {
    if (trace) fprintf(trace, "%lu %lu %d %ld\n", one->due, time, status, one->answer.length);
}

static void send_due(struct connection *one, uint64_t due, uint64_t time) {
    one->due = due;
    one->sent_at = time;
    one->owed = 0;
    waiting++;
    begun_requests++;
    slice_sent++;
    if (due >= measured_from) {
        uint64_t possible = due > one->free_since ? due : one->free_since;
        record(&late, time - possible);
        sent++;
    }
    if (!send_request(one, asked.targets[(size_t)(chance() * asked.target_count)])) fail(one, CLOSED_EARLY, time);
}

// The connection can take a request.
static void become_idle(struct connection *one, uint64_t time) {
    one->state = IDLE;
    one->free_since = time;
    if (one->owed) send_due(one, one->due, time);
    else if (!thinking()) enqueue(one);
}

static void reopen(struct connection *one) {
    close_connection(one);
    if (!open_connection(one)) count_error(NO_CONNECTION);
}

// A request's end, good or bad.
static void fail(struct connection *one, enum error kind, uint64_t time) {
    count_error(kind);
    note(one, 0, time);
    if (one->state == ASKED) waiting--;
    one->owed = 0;
    reopen(one);
    if (thinking()) think(one, time);
}

static void succeed(struct connection *one, uint64_t time) {
    waiting--;
    note(one, one->answer.status, time);
    record(&slice, time - one->due);
    if (one->due >= measured_from) {
        record(&latency, time - one->due);
        answered++;
    }
    if (thinking()) think(one, time);
    one->answers++;
    if (one->answer.closes || one->answers == asked.reuse) reopen(one);
    else become_idle(one, time);
}

static void receive(struct connection *one) {
    static char bytes[RECEIVE];
    ssize_t count = recv(one->fd, bytes, sizeof bytes, 0);
    uint64_t time = now();
    if (count < 0 && errno == EAGAIN) return;
    // Between requests a server may close as it likes (RFC 9112 §9.3).
    if (one->state == IDLE) {
        if (count > 0) count_error(MALFORMED);
        reopen(one);
        return;
    }
    if (count <= 0) {
        fail(one, CLOSED_EARLY, time);
        return;
    }
    switch (read_answer(&one->answer, bytes, (size_t)count, asked.body, trace != NULL)) {
    case ANSWER_NEEDS_MORE: return;
    case ANSWER_WHOLE: succeed(one, time); return;
    case ANSWER_WRONG_STATUS:
        if (first_wrong_status == 0) first_wrong_status = atoi(one->answer.head + 9);
        fail(one, WRONG_STATUS, time);
        return;
    case ANSWER_WRONG_BODY: fail(one, WRONG_BODY, time); return;
    case ANSWER_MALFORMED: fail(one, MALFORMED, time); return;
    }
}

static void handle(struct connection *one, unsigned happened) {
    if (one->state == CLOSED) return;
    if (one->state != CONNECTING) receive(one);
    else if (happened == EPOLLIN) return;  // Said of the connection before this one, earlier in the turn.
    else if (finish_connecting(one)) become_idle(one, now());
    else {
        count_error(NO_CONNECTION);
        close_connection(one);
    }
}

// Keeps so many requests under way, as long as the run lasts.
static void fill_up(uint64_t time) {
    while (waiting < (uint64_t)asked.in_flight && time < until) {
        if (asked.requests && begun_requests == asked.requests) {
            until = time;
            asked.seconds = (double)(time - measured_from) / 1e9;
            return;
        }
        struct connection *one = dequeue();
        if (one == NULL) return;
        send_due(one, time, time);
        time = now();
    }
}

// Sends what is due, as far as there are connections for it.
static void send_all_due(void) {
    uint64_t time = now();
    if (asked.in_flight) {
        fill_up(time);
        return;
    }
    if (thinking()) {
        while (heap_count > 0 && heap[0]->due <= time) {
            struct connection *one = pop();
            one->owed = 1;
            if (one->state == IDLE) send_due(one, one->due, time);
            time = now();
        }
        return;
    }
    for (struct connection *one; next_due <= time && next_due < until && (one = dequeue()) != NULL; time = now()) {
        uint64_t due = next_due;
        next_due += (uint64_t)(1e9 / rate_at((double)(due - begun) / 1e9));
        send_due(one, due, time);
    }
}

// Gives up what takes too long, and tries refused connections again.
static void sweep(uint64_t time) {
    uint64_t patience = (uint64_t)(1e9 * asked.timeout);
    for (struct connection *one = connections; one < connections + asked.connections; one++) {
        if (one->state == ASKED && time > one->sent_at + patience) fail(one, TIMED_OUT, time);
        else if (one->owed && time > one->due + patience) fail(one, TIMED_OUT, time);
        else if (one->state == CLOSED) reopen(one);
    }
}

static void print_quantiles(const char *name, const struct histogram *of) {
    printf("\"%s\": {\"mean\": %.1f, \"p50\": %.1f, \"p90\": %.1f, \"p95\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f, "
           "\"max\": %.1f}", name, mean(of), quantile(of, 0.5), quantile(of, 0.9), quantile(of, 0.95),
           quantile(of, 0.99), quantile(of, 0.999), (double)of->max / 1e3);
}

static void print_slice(uint64_t time) {
    printf("{\"second\": %.3f, \"sent\": %lu, \"answered\": %lu, \"errors\": %lu, \"waiting\": %lu, ",
           (double)(time - begun) / 1e9, slice_sent, slice.count, slice_errors, waiting);
    print_quantiles("latency_us", &slice);
    printf("}\n");
    fflush(stdout);
    reset(&slice);
    slice_sent = slice_errors = 0;
}

// What the scheduler knows of this program: nanoseconds on a core, and ready to run but waiting for it.
struct demand { uint64_t ran, waited; };

static struct demand demand_so_far(void) {
    struct demand found = { 0, 0 };
    FILE *file = fopen("/proc/self/schedstat", "r");
    if (file == NULL || fscanf(file, "%lu %lu", &found.ran, &found.waited) != 2) perror("pacer: /proc/self/schedstat");
    if (file != NULL) fclose(file);
    return found;
}

static struct demand demand_when_begun;

static void print_result(void) {
    struct demand before = demand_when_begun, after = demand_so_far();
    double elapsed = (double)(now() - begun), ran = (double)(after.ran - before.ran) / elapsed;
    uint64_t all = 0;
    printf("{\"connections\": %d, \"seconds\": %g, \"sent\": %lu, \"answered\": %lu, \"rate\": %.1f, \"errors\": {",
           asked.connections, asked.seconds, sent, answered, (double)answered / ((double)(until - measured_from) / 1e9));
    for (int kind = 0; kind < ERROR_KINDS; kind++) {
        printf("\"%s\": %lu, ", error_names[kind], errors[kind]);
        all += errors[kind];
    }
    printf("\"all\": %lu}, \"first_wrong_status\": %d, \"opened\": %lu, \"busy\": %.3f, "
           "\"saturation\": %.3f, ", all, first_wrong_status, opened, ran,
           ran + (double)(after.waited - before.waited) / elapsed);
    print_quantiles("latency_us", &latency);
    printf(", ");
    print_quantiles("late_us", &late);
    printf("}\n");
}

// One turn: waits until something arrives, is due or is to be looked after, for a second at most.
static void turn(uint64_t wake) {
    struct epoll_event events[EVENTS];
    uint64_t time = now(), pause = wake > time ? wake - time : 0;
    struct timespec wait = { .tv_nsec = (long)(pause < 999999999 ? pause : 999999999) };
    int ready = epoll_pwait2(epoll, events, EVENTS, &wait, NULL);
    for (int i = 0; i < ready; i++) {
        handle(events[i].data.ptr, events[i].events);
        if (begun) send_all_due();
    }
}

static void connect_all(void) {
    uint64_t patience = now() + (uint64_t)(1e9 * asked.timeout);
    for (int next = 0; opened < (uint64_t)asked.connections;) {
        while (next < asked.connections && (uint64_t)next < opened + CONNECTING_MAX) reopen(&connections[next++]);
        turn(now() + SWEEP);
        if (errors[NO_CONNECTION] || now() > patience) {
            fprintf(stderr, "pacer: only %lu of %d connections could be opened\n", opened, asked.connections);
            exit(1);
        }
    }
}

static uint64_t earliest(uint64_t one, uint64_t other) { return one < other ? one : other; }

static void leave(int number) {
    (void)number;
    is_told_to_leave = 1;
}

static void run(void) {
    uint64_t patience = (uint64_t)(1e9 * asked.timeout), time;
    while ((time = now()) < until
           || (time < until + patience && (waiting > 0 || (scheduled() && next_due < until)))) {
        if (is_told_to_leave) until = earliest(until, time);
        send_all_due();
        if (time >= next_sweep) {
            sweep(time);
            next_sweep = time + SWEEP;
        }
        if (asked.slice > 0 && time >= next_slice) {
            print_slice(time);
            next_slice += (uint64_t)(1e9 * asked.slice);
        }
        uint64_t wake = asked.slice > 0 ? earliest(next_sweep, next_slice) : next_sweep;
        if (thinking() && heap_count > 0) wake = earliest(wake, heap[0]->due);
        if (scheduled() && queue_count > 0 && next_due < until) wake = earliest(wake, next_due);
        turn(wake);
    }
    // What was due and could not be sent or answered in all that time.
    for (; scheduled() && next_due < until; next_due += (uint64_t)(1e9 / rate_at((double)(next_due - begun) / 1e9)))
        count_error(UNSENT);
    for (int i = 0; i < asked.connections; i++) if (connections[i].owed) count_error(UNSENT);
    errors[TIMED_OUT] += waiting;
}

int main(int count, char **arguments) {
    read_options(count, arguments);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    // Timers wake up when they are due and not up to 50 µs later.
    prctl(PR_SET_TIMERSLACK, 1);
    signal(SIGTERM, leave);
    if (asked.trace && (trace = fopen(asked.trace, "w")) == NULL) {
        perror(asked.trace);
        exit(1);
    }
    chance_state = asked.seed * 0x9E3779B97F4A7C15ULL;

    epoll = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc((size_t)asked.connections, sizeof *connections);
    heap = calloc((size_t)asked.connections, sizeof *heap);
    queue = calloc((size_t)asked.connections, sizeof *queue);
    for (int i = 0; i < asked.connections; i++) prepare(&connections[i], (unsigned)i);
    connect_all();

    demand_when_begun = demand_so_far();
    begun = next_due = now();
    measured_from = begun + (uint64_t)(1e9 * asked.warm_up);
    until = measured_from + (uint64_t)(1e9 * asked.seconds);
    next_sweep = begun + SWEEP;
    next_slice = begun + (uint64_t)(1e9 * asked.slice);
    if (thinking()) {
        // The users arrive one after the other, over the longest think time.
        for (int i = 0; i < asked.connections; i++) {
            connections[i].due = begun + (uint64_t)(1e9 * chance() * asked.think_to);
            push(&connections[i]);
        }
    }
    run();
    print_result();
    return trace && fclose(trace) != 0;
}
