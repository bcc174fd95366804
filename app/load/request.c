/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests are text that the user wrote, so the judge of whether they are requests is http-parser,
 * the same that servers use: each must be one whole message from its first byte to its last. What
 * is looked at before that is only what the parser cannot know: which header says it twice, and
 * where a file's requests end.
 */
#include "request.h"

#include "../error.h"
#include "../file.h"

#include <ctype.h>
#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bytes of somebody else's memory. */
struct span {
    const char *at;
    size_t n;
};

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

/* ---- headers ---- */

/* Is this line the header of that name? */
static bool is_header(struct span line, const char *name)
{
    const size_t n = strlen(name);
    return line.n > n && line.at[n] == ':' && strncasecmp(line.at, name, n) == 0;
}

static bool has_header(const struct app_request_settings *s, const char *name)
{
    for (uint32_t i = 0; i < s->n_headers; i++)
        if (is_header(span_of(s->headers[i]), name))
            return true;
    return false;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if (iscntrl((unsigned char)*text) && *text != '\t')
            return true;
    return false;
}

/* RFC 9110 §5.6.2 */
static size_t token_chars(const char *text)
{
    return strspn(text, "!#$%&'*+-.^_`|~0123456789"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

int app_request_add_header(struct app_request_settings *s, const char *text, struct tern_error *err)
{
    const size_t n_name = token_chars(text);
    if (n_name == 0 || text[n_name] != ':' || has_control(text))
        return app_refuse(err,
            "--header: '%.60s' is not 'Name: value' on one line; type it like -H 'Accept: */*'",
            text);
    if (is_header(span_of(text), "Content-Length") || is_header(span_of(text), "Transfer-Encoding"))
        return app_refuse(err,
            "--header: '%.60s': the length of the body is written by itself; leave it out, or "
            "type the whole request in a --request-file",
            text);
    if (s->n_headers == APP_REQUEST_HEADERS_MAX)
        return app_refuse(
            err, "--header: more than %d; type them in a --request-file", APP_REQUEST_HEADERS_MAX);
    s->headers[s->n_headers++] = text;
    return 0;
}

/* ---- is it one? ---- */

static int on_message_complete(http_parser *p)
{
    *(bool *)p->data = true;
    http_parser_pause(p, 1);
    return 0;
}

static bool is_line_ends(struct span rest)
{
    while (rest.n > 0 && (rest.at[0] == '\r' || rest.at[0] == '\n'))
        rest = (struct span){rest.at + 1, rest.n - 1};
    return rest.n == 0;
}

/* See that it is exactly one request; what line ends follow it is cut off. */
static int check(const char *what, struct app_request *r, struct tern_error *err)
{
    static const http_parser_settings settings = {.on_message_complete = on_message_complete};
    bool complete = false;
    http_parser p;
    http_parser_init(&p, HTTP_REQUEST);
    p.data = &complete;
    if (r->n_bytes > APP_REQUEST_BYTES_MAX)
        return app_refuse(err, "%s: the request has %u bytes; make it at most %d", what, r->n_bytes,
            APP_REQUEST_BYTES_MAX);
    const size_t used = http_parser_execute(&p, &settings, r->bytes, r->n_bytes);
    const enum http_errno e = HTTP_PARSER_ERRNO(&p);
    if (p.upgrade != 0)
        return app_refuse(err,
            "%s: the request asks for another protocol (CONNECT, or Connection: Upgrade), which "
            "is not spoken here; leave that out",
            what);
    if (e != HPE_OK && e != HPE_PAUSED)
        return app_refuse(err, "%s: no HTTP request: %s, behind '%.40s'; mend it", what,
            http_errno_description(e), used > 40 ? r->bytes + used - 40 : r->bytes);
    if (!complete)
        return app_refuse(err,
            "%s: the request ends before the body that its header promises; mend Content-Length, "
            "or leave it out",
            what);
    if (!is_line_ends((struct span){r->bytes + used, r->n_bytes - used}))
        return app_refuse(err,
            "%s: '%.40s' follows the end of the request; put a line ### before another one, or "
            "mend Content-Length",
            what, r->bytes + used);
    r->n_bytes = (uint32_t)used;
    r->is_head = p.method == HTTP_HEAD;
    return 0;
}

/* ---- of options ---- */

/* A method that means something by its body says that it has none (RFC 9110 §8.6). */
static bool wants_length(const char *method, struct span body)
{
    return body.n > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0
           || strcmp(method, "PATCH") == 0;
}

static void write_request(FILE *out, const struct app_request_settings *s,
    const struct app_target *t, bool keeps, struct span body)
{
    const char *method = s->method != NULL ? s->method : s->body != NULL ? "POST" : "GET";
    fprintf(out, "%s %s HTTP/1.1\r\n", method, t->path);
    if (!has_header(s, "Host"))
        fprintf(out, "Host: %s\r\n", s->host != NULL ? s->host : t->host);
    if (!has_header(s, "User-Agent"))
        fputs("User-Agent: tern/" TERN_VERSION "\r\n", out);
    if (!has_header(s, "Accept"))
        fputs("Accept: */*\r\n", out);
    if (!keeps && !has_header(s, "Connection"))
        fputs("Connection: close\r\n", out);
    for (uint32_t i = 0; i < s->n_headers; i++)
        fprintf(out, "%s\r\n", s->headers[i]);
    if (wants_length(method, body))
        fprintf(out, "Content-Length: %zu\r\n", body.n);
    fputs("\r\n", out);
    fwrite(body.at, 1, body.n, out);
}

/* What was written, as the next request. */
static int take(struct app_requests *r, const char *what, FILE *out, char **bytes, size_t *n,
    struct tern_error *err)
{
    const bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(*bytes);
        return app_refuse(err, "%s: no memory for the request; make it smaller", what);
    }
    struct app_request *request = &r->of[r->n++];
    *request = (struct app_request){.bytes = *bytes, .n_bytes = (uint32_t)*n};
    return check(what, request, err);
}

static int make_one(struct app_requests *r, const struct app_request_settings *s,
    const struct app_target *t, bool keeps, struct span body, struct tern_error *err)
{
    char *bytes = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&bytes, &n);
    if (out == NULL)
        return app_refuse(err, "no memory for the request; close other programs and try again");
    write_request(out, s, t, keeps, body);
    return take(r, "the request of --method, --header, --host and --body", out, &bytes, &n, err);
}

static int make_of_options(struct app_requests *r, const struct app_request_settings *s,
    const struct app_target *t, bool keeps, struct tern_error *err)
{
    char *bytes = NULL;
    struct span body = {"", 0};
    int rc = 0;
    if (s->body != NULL && s->body[0] == '@') {
        rc = app_file_read("--body", s->body + 1, APP_REQUEST_BYTES_MAX, &bytes, &body.n, err);
        body.at = bytes;
    } else if (s->body != NULL) {
        body = span_of(s->body);
    }
    if (rc == 0)
        rc = make_one(r, s, t, keeps, body, err);
    free(bytes);
    return rc;
}

/* ---- of a file ---- */

/* The next line, with its end; moves *text behind it. */
static struct span next_line(struct span *text)
{
    const char *end = memchr(text->at, '\n', text->n);
    const size_t n = end == NULL ? text->n : (size_t)(end - text->at) + 1;
    const struct span line = {text->at, n};
    *text = (struct span){text->at + n, text->n - n};
    return line;
}

static struct span without_end(struct span line)
{
    line.n -= line.n > 0 && line.at[line.n - 1] == '\n';
    line.n -= line.n > 0 && line.at[line.n - 1] == '\r';
    return line;
}

static bool is_separator(struct span line)
{
    return line.n >= 3 && memcmp(line.at, "###", 3) == 0;
}

/* What lies before the next separator; moves *text behind that. */
static struct span next_part(struct span *text)
{
    struct span part = {text->at, 0};
    while (text->n > 0) {
        const struct span line = next_line(text);
        if (is_separator(line))
            break;
        part.n += line.n;
    }
    return part;
}

struct written {
    bool has_host, has_length;
};

static void write_line(FILE *out, struct span line, struct written *w)
{
    w->has_host |= is_header(line, "Host");
    w->has_length |= is_header(line, "Content-Length") || is_header(line, "Transfer-Encoding");
    fwrite(line.at, 1, line.n, out);
    fputs("\r\n", out);
}

/* @param part  without empty lines before it */
static void write_part(FILE *out, struct span part, const char *host)
{
    struct written w = {.has_host = false};
    while (part.n > 0) {
        const struct span line = without_end(next_line(&part));
        if (line.n == 0)
            break;
        write_line(out, line, &w);
    }
    const struct span body = w.has_length ? part : without_end(part);
    if (!w.has_host)
        fprintf(out, "Host: %s\r\n", host);
    if (!w.has_length && body.n > 0)
        fprintf(out, "Content-Length: %zu\r\n", body.n);
    fputs("\r\n", out);
    fwrite(body.at, 1, body.n, out);
}

static int add_part(struct app_requests *r, const struct app_request_settings *s,
    const struct app_target *t, struct span part, struct tern_error *err)
{
    char what[160], *bytes = NULL;
    size_t n = 0;
    snprintf(what, sizeof what, "--request-file: '%.80s', request %u", s->file, r->n + 1);
    if (r->n == APP_REQUESTS_MAX)
        return app_refuse(err, "%s: there may be %d; leave some out", what, APP_REQUESTS_MAX);
    FILE *out = open_memstream(&bytes, &n);
    if (out == NULL)
        return app_refuse(err, "%s: no memory; close other programs and try again", what);
    write_part(out, part, s->host != NULL ? s->host : t->host);
    return take(r, what, out, &bytes, &n, err);
}

static struct span without_empty_lines(struct span part)
{
    for (struct span rest = part; rest.n > 0; part = rest)
        if (without_end(next_line(&rest)).n > 0)
            return part;
    return (struct span){part.at, 0};
}

static int make_of_text(struct app_requests *r, const struct app_request_settings *s,
    const struct app_target *t, struct span text, struct tern_error *err)
{
    int rc = 0;
    while (text.n > 0 && rc == 0) {
        const struct span part = without_empty_lines(next_part(&text));
        if (part.n > 0)
            rc = add_part(r, s, t, part, err);
    }
    if (rc == 0 && r->n == 0)
        return app_refuse(err,
            "--request-file: '%.80s' holds no request; write one, such as GET / HTTP/1.1", s->file);
    return rc;
}

static int make_of_file(struct app_requests *r, const struct app_request_settings *s,
    const struct app_target *t, struct tern_error *err)
{
    char *bytes = NULL;
    struct span text = {NULL, 0};
    if (s->method != NULL || s->body != NULL || s->n_headers > 0)
        return app_refuse(
            err, "--request-file: the file says it all; leave --method, --header and --body out");
    int rc = app_file_read("--request-file", s->file, APP_REQUEST_BYTES_MAX, &bytes, &text.n, err);
    text.at = bytes;
    if (rc == 0)
        rc = make_of_text(r, s, t, text, err);
    free(bytes);
    return rc;
}

int app_requests_make(struct app_requests *r, const struct app_request_settings *s,
    const struct app_target *t, bool keeps, struct tern_error *err)
{
    *r = (struct app_requests){.n = 0};
    if (s->method != NULL && (s->method[0] == '\0' || s->method[token_chars(s->method)] != '\0'))
        return app_refuse(err, "--method: '%.60s' is no method; type it like HEAD", s->method);
    if (s->host != NULL && (has_control(s->host) || s->host[0] == '\0'))
        return app_refuse(
            err, "--host: '%.60s' is no name of a host; type it like www.example.org", s->host);
    const int rc =
        s->file != NULL ? make_of_file(r, s, t, err) : make_of_options(r, s, t, keeps, err);
    if (rc != 0)
        app_requests_free(r);
    return rc;
}

void app_requests_free(struct app_requests *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        free(r->of[i].bytes);
    r->n = 0;
}
