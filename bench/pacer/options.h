// What the command line asks for.
#pragma once
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TARGETS_MAX = 64, FIELDS_MAX = 16, POINTS_MAX = 16, CONNECTIONS_MAX = 60000 };

// The rate at a second after the first request; between two points it changes evenly.
struct point { double second, rate; };

static struct {
    int port, connections, groups, reuse;
    double warm_up, seconds, timeout, slice;
    double think_from, think_to;              // Seconds; both 0 when users do not think.
    int in_flight;                            // Requests under way at any time; 0 in a run on a schedule.
    unsigned long long requests, numbers;     // The run ends after so many; {number} counts up to it. 0: neither.
    struct point points[POINTS_MAX];
    int point_count, target_count, field_count;
    const char *targets[TARGETS_MAX], *fields[FIELDS_MAX];
    long body;                                // What every body must be long; -1: as its Content-Length says.
    const char *host;                         // NULL: the address and port.
    const char *trace;                        // The file that gets a line for each request; any status will do then.
    unsigned long long seed;
} asked = { .connections = 64, .groups = 50, .seconds = 10, .timeout = 10, .body = -1, .seed = 1 };

static const char usage[] =
    "usage: pacer PORT (--rate RATE | --rate SECOND:RATE,… | --think FROM-TO | --in-flight N [--requests N])\n"
    "             [--connections N] [--seconds S] [--warm-up S] [--slice S] [--timeout S] [--target PATH …]\n"
    "             [--field 'NAME: VALUE' …] [--numbers N] [--groups N] [--body BYTES] [--reuse N] [--seed N]\n"
    "             [--host NAME] [--trace FILE]\n"
    "\n"
    "Each request has one of the targets by chance. In targets and fields {number} is the request's number modulo\n"
    "--numbers; in fields {user} is the connection's number, {group} that modulo --groups, {address} an address in\n"
    "10.1.0.0/16. --body is the length every body must have, --reuse how many requests a connection has. --trace writes\n"
    "a line for each request from the first on: nanoseconds of the monotonic clock when it was due and when its answer was\n"
    "whole, status and length of the body; status 0 is an error. Any status will do then.\n";

static void misused(const char *what, const char *text) {
    fprintf(stderr, "pacer: %s: `%s`\n%s", what, text, usage);
    exit(64);
}

static double number(const char *text, double least) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= least) || value > 1e9) misused("not a number that is possible here", text);
    return value;
}

// `1000`, or `0:500,10:500,11:5000`.
static void read_points(char *text) {
    for (char *rest = text, *part; (part = strsep(&rest, ",")) != NULL; asked.point_count++) {
        if (asked.point_count == POINTS_MAX) misused("too many points", part);
        struct point *one = &asked.points[asked.point_count];
        char *colon = strchr(part, ':');
        if (colon) *colon = 0;
        one->second = colon ? number(part, 0) : 0;
        one->rate = number(colon ? colon + 1 : part, 0.001);
        if (asked.point_count && one->second < one[-1].second) misused("points must follow one another", part);
    }
}

static void read_think(char *text) {
    char *dash = strchr(text, '-');
    if (!dash) misused("expected a think time like 1-3", text);
    *dash = 0;
    asked.think_from = number(text, 0);
    asked.think_to = number(dash + 1, asked.think_from);
    if (asked.think_to <= 0) misused("a think time of nothing", dash + 1);
}

static void add(const char **list, int *count, int max, const char *text) {
    if (*count == max) misused("too many of these", text);
    list[(*count)++] = text;
}

static void read_options(int count, char **arguments) {
    static const struct option known[] = {
        { "rate", 1, 0, 'r' }, { "think", 1, 0, 't' }, { "connections", 1, 0, 'c' }, { "seconds", 1, 0, 's' },
        { "warm-up", 1, 0, 'w' }, { "target", 1, 0, 'p' }, { "field", 1, 0, 'f' }, { "groups", 1, 0, 'g' },
        { "body", 1, 0, 'b' }, { "reuse", 1, 0, 'u' }, { "timeout", 1, 0, 'o' }, { "slice", 1, 0, 'l' },
        { "seed", 1, 0, 'e' }, { "in-flight", 1, 0, 'i' }, { "requests", 1, 0, 'q' }, { "numbers", 1, 0, 'n' },
        { "trace", 1, 0, 'a' }, { "host", 1, 0, 'h' }, { 0 } };
    for (int which; (which = getopt_long(count, arguments, "", known, NULL)) != -1;) switch (which) {
        case 'r': read_points(optarg); break;
        case 't': read_think(optarg); break;
        case 'c': asked.connections = (int)number(optarg, 1); break;
        case 's': asked.seconds = number(optarg, 0.1); break;
        case 'w': asked.warm_up = number(optarg, 0); break;
        case 'p': add(asked.targets, &asked.target_count, TARGETS_MAX, optarg); break;
        case 'f': add(asked.fields, &asked.field_count, FIELDS_MAX, optarg); break;
        case 'g': asked.groups = (int)number(optarg, 1); break;
        case 'b': asked.body = (long)number(optarg, 0); break;
        case 'u': asked.reuse = (int)number(optarg, 1); break;
        case 'o': asked.timeout = number(optarg, 0.001); break;
        case 'l': asked.slice = number(optarg, 0.001); break;
        case 'a': asked.trace = optarg; break;
        case 'h': asked.host = optarg; break;
        case 'i': asked.in_flight = (int)number(optarg, 1); break;
        case 'q': asked.requests = (unsigned long long)number(optarg, 1); break;
        case 'n': asked.numbers = (unsigned long long)number(optarg, 1); break;
        case 'e': asked.seed = (unsigned long long)number(optarg, 1); break;
        default: fputs(usage, stderr); exit(64);
    }
    if (optind + 1 != count) misused("expected one port", optind < count ? arguments[optind] : "");
    asked.port = (int)number(arguments[optind], 1);
    if ((asked.point_count > 0) + (asked.think_to > 0) + (asked.in_flight > 0) != 1)
        misused("expected one of --rate, --think and --in-flight", "");
    if (asked.requests && !asked.in_flight) misused("only with --in-flight", "--requests");
    if (asked.connections > CONNECTIONS_MAX) misused("too many connections", "--connections");
    if (asked.target_count == 0) add(asked.targets, &asked.target_count, TARGETS_MAX, "/");
}
