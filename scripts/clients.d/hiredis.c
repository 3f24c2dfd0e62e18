// hiredis, blocking, with its default settings.
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(int line, const char *got) {
    fprintf(stderr, "line %d: got %s\n", line, got);
    exit(1);
}

// text is the reply to a command in words: arrays with blanks between their elements, nil as "nil".
static void join(char *out, size_t size, const redisReply *r) {
    size_t n = strlen(out);
    if (r->type == REDIS_REPLY_INTEGER) snprintf(out + n, size - n, "%lld", r->integer);
    else if (r->type == REDIS_REPLY_NIL) snprintf(out + n, size - n, "nil");
    else if (r->type != REDIS_REPLY_ARRAY) snprintf(out + n, size - n, "%s", r->str);
    else
        for (size_t i = 0; i < r->elements; i++) {
            if (i) strncat(out, " ", size - strlen(out) - 1);
            join(out, size, r->element[i]);
        }
}

static char *text(redisReply *r) {
    static char out[4096];
    out[0] = 0;
    if (r) join(out, sizeof out, r);
    else strcpy(out, "no reply");
    freeReplyObject(r);
    return out;
}

#define is(want, ...) do { char *got = text(redisCommand(__VA_ARGS__)); if (strcmp(got, want)) fail(__LINE__, got); } while (0)
#define next(want, c) do { void *reply = NULL; redisGetReply(c, &reply); char *got = text(reply); if (strcmp(got, want)) fail(__LINE__, got); } while (0)

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    redisContext *r = redisConnect("127.0.0.1", atoi(argv[1])), *other = redisConnect("127.0.0.1", atoi(argv[1]));
    if (!r || r->err || !other || other->err) fail(__LINE__, "no connection");
    is("OK", r, "FLUSHALL");
    is("OK", r, "SET {t}s %b", "a\0b", (size_t)3);
    is("3", r, "STRLEN {t}s");
    is("2", r, "HSET {t}h a 1 b 2");
    is("1 2", r, "HMGET {t}h a b");
    for (int i = 0; i < 200; i++) redisAppendCommand(r, "SET k%d %d", i, i);
    for (int i = 0; i < 200; i++) next("OK", r);
    is("199", r, "GET k199");
    is("OK", r, "MULTI");
    is("QUEUED", r, "INCR {t}n");
    is("QUEUED", r, "INCR {t}n");
    is("1 2", r, "EXEC");
    is("OK", r, "WATCH {t}n");
    is("3", other, "INCR {t}n");
    is("OK", r, "MULTI");
    is("QUEUED", r, "SET {t}n 0");
    is("nil", r, "EXEC");
    is("subscribe news 1", other, "SUBSCRIBE news");
    is("1", r, "PUBLISH news hello");
    next("message news hello", other);
    is("unsubscribe news 0", other, "UNSUBSCRIBE");
    is("nil", r, "BLPOP {t}q 0.1");
    redisAppendCommand(other, "BLPOP {t}q 5");
    for (int done = 0; !done;) redisBufferWrite(other, &done);
    is("1", r, "RPUSH {t}q x");
    next("{t}q x", other);
    char sha[64];
    snprintf(sha, sizeof sha, "%s", text(redisCommand(r, "SCRIPT LOAD %s", "return redis.call('get', KEYS[1]) * ARGV[1]")));
    is("6", r, "EVALSHA %s 1 {t}n 2", sha);
    long long seen = 0;
    char cursor[32] = "0", size[32];
    do { // nothing is written meanwhile, so that no key comes twice
        redisReply *page = redisCommand(r, "SCAN %s COUNT 50", cursor);
        if (!page || page->type != REDIS_REPLY_ARRAY) fail(__LINE__, text(page));
        snprintf(cursor, sizeof cursor, "%s", page->element[0]->str);
        seen += page->element[1]->elements;
        freeReplyObject(page);
    } while (strcmp(cursor, "0"));
    snprintf(size, sizeof size, "%lld", seen);
    is(size, r, "DBSIZE");
    char id[32];
    snprintf(id, sizeof id, "%s", text(redisCommand(r, "CLIENT ID")));
    is("1", other, "CLIENT KILL ID %s", id);
    is("no reply", r, "PING");
    if (redisReconnect(r) != REDIS_OK) fail(__LINE__, r->errstr);
    is("3", r, "STRLEN {t}s");
    redisFree(r);
    redisFree(other);
}
