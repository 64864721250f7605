#pragma once
#include <hiredis/read.h>
#include <stddef.h>

// hiredis 1 reads RESP 3 as well, counts elements in another type, and keeps its stack elsewhere than 0.14.
#ifdef REDIS_REPLY_DOUBLE
#define WEIR_HIREDIS_1 1
typedef size_t weir_element_count;
// Types of RESP 3 end the connection: nobody asked for them.
static inline void *weir_no_double(const redisReadTask *task, double value, char *text, size_t length) {
    (void)task; (void)value; (void)text; (void)length;
    return NULL;
}
static inline void *weir_no_bool(const redisReadTask *task, int value) {
    (void)task; (void)value;
    return NULL;
}
#else
typedef int weir_element_count;
#endif

// The table of functions that a reader calls.
static inline redisReplyObjectFunctions weir_reader_functions(
    void *(*string)(const redisReadTask *, char *, size_t),
    void *(*array)(const redisReadTask *, weir_element_count),
    void *(*integer)(const redisReadTask *, long long),
    void *(*nil)(const redisReadTask *)) {
    redisReplyObjectFunctions functions = {0};
    functions.createString = string;
    functions.createArray = array;
    functions.createInteger = integer;
    functions.createNil = nil;
#ifdef WEIR_HIREDIS_1
    functions.createDouble = weir_no_double;
    functions.createBool = weir_no_bool;
#endif
    return functions;
}

// The type of the element that is read at `depth` of the stack.
static inline int weir_task_type(const redisReader *reader, int depth) {
#ifdef WEIR_HIREDIS_1
    return reader->task[depth]->type;
#else
    return reader->rstack[depth].type;
#endif
}
