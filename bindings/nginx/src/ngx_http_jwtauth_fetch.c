/*
 * What threads do: everything that may wait for a key server.
 *
 * A job has its own memory, and so its request may end at any time: it only forgets the job's result. The thread touches nothing
 * but the job and the verifier. All other functions here run in the event loop.
 */

#include "ngx_http_jwtauth.h"

struct ngx_http_jwtauth_job_s {
    ngx_http_jwtauth_verifier_t *verifier;
    ngx_event_t *event;
    /* Who waits for the result; NULL if the request has ended, and for a job that only renews keys. */
    ngx_http_request_t *request;
    ngx_http_jwtauth_ctx_t *ctx;
    /* The request as JSON; NULL for a job that renews keys. */
    char *json;

    /* The result. */
    jwtauth_status status;
    char *reply;
    /* After how many seconds cached keys should be renewed; negative: there are none. */
    ngx_int_t due;
};

static void work(void *data, ngx_log_t *log);
static ngx_int_t seconds_until_due(const jwtauth_verifier *handle);
static void on_done(ngx_event_t *event);
static void on_request_end(void *data);
static void resume(ngx_http_request_t *r);

static ngx_http_jwtauth_main_conf_t *threads_of(ngx_http_request_t *r) {
    ngx_http_jwtauth_main_conf_t *mcf = ngx_http_get_module_main_conf(r, ngx_http_jwtauth_module);

    /* After a reload without a master, nginx does not start the threads of the new configuration. */
    return mcf->threads == NULL ? NULL : mcf;
}

static ngx_thread_task_t *new_task(ngx_http_jwtauth_verifier_t *verifier, size_t json_length) {
    ngx_thread_task_t *task =
        ngx_calloc(sizeof(ngx_thread_task_t) + sizeof(ngx_http_jwtauth_job_t) + json_length, ngx_cycle->log);
    ngx_http_jwtauth_job_t *job;

    if (task == NULL) {
        return NULL;
    }
    job = (ngx_http_jwtauth_job_t *)(task + 1);
    job->verifier = verifier;
    job->event = &task->event;
    if (json_length > 0) {
        job->json = (char *)(job + 1);
    }
    task->ctx = job;
    task->handler = work;
    task->event.handler = on_done;
    task->event.data = task;
    task->event.log = ngx_cycle->log;
    return task;
}

static ngx_int_t post(ngx_thread_pool_t *threads, ngx_thread_task_t *task) {
    ngx_http_jwtauth_job_t *job = task->ctx;

    if (ngx_thread_task_post(threads, task) != NGX_OK) {
        ngx_free(task);
        return NGX_ERROR;
    }
    job->verifier->users++;
    return NGX_OK;
}

/* Posts a job that fetches every key source of the verifier. */
static void post_renewal(ngx_thread_pool_t *threads, ngx_http_jwtauth_verifier_t *verifier) {
    ngx_thread_task_t *task = new_task(verifier, 0);

    if (task != NULL && post(threads, task) == NGX_OK) {
        verifier->is_refreshing = 1;
    }
}

/* In a new worker: fetches the keys, so that the first requests do not wait for them, and a wrong URL is in the log. */
ngx_int_t ngx_http_jwtauth_start(ngx_cycle_t *cycle, ngx_http_jwtauth_main_conf_t *mcf) {
    ngx_http_jwtauth_verifier_t **verifiers = mcf->verifiers.elts;
    ngx_uint_t i;

    if (mcf->verifiers.nelts == 0) {
        return NGX_OK;
    }
    mcf->threads = ngx_thread_pool_get(cycle, &mcf->thread_pool);
    if (mcf->threads == NULL) {
        return NGX_ERROR;
    }
    for (i = 0; i < mcf->verifiers.nelts; i++) {
        if (verifiers[i]->fetches) {
            post_renewal(mcf->threads, verifiers[i]);
        }
    }
    return NGX_OK;
}

/* Renews the cached keys if they are due, next to the requests: none of them waits. */
void ngx_http_jwtauth_renew(ngx_http_request_t *r, ngx_http_jwtauth_verifier_t *verifier) {
    ngx_http_jwtauth_main_conf_t *mcf;

    if (!verifier->is_due_later || verifier->is_refreshing || (ngx_msec_int_t)(ngx_current_msec - verifier->due) < 0) {
        return;
    }
    mcf = threads_of(r);
    if (mcf != NULL) {
        post_renewal(mcf->threads, verifier);
    }
}

/* Lets a thread decide a request that needs keys, and makes the request sleep until then. NGX_ERROR: there is no thread. */
ngx_int_t ngx_http_jwtauth_fetch(ngx_http_request_t *r, ngx_http_jwtauth_verifier_t *verifier, const ngx_str_t *request) {
    ngx_http_jwtauth_main_conf_t *mcf = threads_of(r);
    ngx_http_jwtauth_ctx_t *ctx = ngx_http_get_module_ctx(r, ngx_http_jwtauth_module);
    size_t length = request->len - (sizeof(NGX_HTTP_JWTAUTH_CACHED_ONLY) - 1);
    ngx_http_cleanup_t *cleanup;
    ngx_http_jwtauth_job_t *job;
    ngx_thread_task_t *task;

    if (mcf == NULL) {
        return NGX_ERROR;
    }
    cleanup = ngx_http_cleanup_add(r, 0);
    task = new_task(verifier, length + sizeof "}");
    if (cleanup == NULL || task == NULL) {
        ngx_free(task);
        return NGX_ERROR;
    }
    job = task->ctx;
    job->request = r;
    job->ctx = ctx;
    ngx_memcpy(job->json, request->data, length);
    ngx_memcpy(job->json + length, "}", sizeof "}");

    /* While the main request sleeps, its connection is watched, so that a client that goes away ends it. */
    if (r == r->main) {
        if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
            ngx_free(task);
            return NGX_ERROR;
        }
    }
    if (post(mcf->threads, task) != NGX_OK) {
        return NGX_ERROR;
    }
    if (r == r->main) {
        r->read_event_handler = ngx_http_test_reading;
    }
    r->write_event_handler = ngx_http_request_empty_handler;
    ctx->job = job;
    /* A worker that shuts down waits for timers, and not for requests. */
    ngx_add_timer(job->event, 60000);
    cleanup->handler = on_request_end;
    cleanup->data = ctx;
    return NGX_OK;
}

static void on_request_end(void *data) {
    ngx_http_jwtauth_ctx_t *ctx = data;

    if (ctx->job != NULL) {
        if (ctx->job->event->timer_set) {
            ngx_del_timer(ctx->job->event);
        }
        ctx->job->request = NULL;
        ctx->job = NULL;
    }
}

/* Runs on a thread. */
static void work(void *data, ngx_log_t *log) {
    ngx_http_jwtauth_job_t *job = data;
    const jwtauth_verifier *handle = job->verifier->handle;

    (void)log;
    job->status = job->json != NULL ? jwtauth_verifier_authenticate(handle, job->json, &job->reply)
                                    : jwtauth_verifier_refresh_keys(handle, &job->reply);
    job->due = seconds_until_due(handle);
}

/* When the first of the cached key sets should be renewed, in seconds. Only a request that needs them fetches other sets. */
static ngx_int_t seconds_until_due(const jwtauth_verifier *handle) {
    char *policy = NULL, *sources = NULL, *state, *next, pointer[64];
    ngx_int_t due = -1, seconds;
    size_t i;

    if (jwtauth_verifier_policy(handle, &policy) == JWTAUTH_STATUS_OK) {
        sources = jwtauth_json_get(policy, "/key_status");
    }
    jwtauth_string_free(policy);
    for (i = jwtauth_json_count(sources, ""); i-- > 0;) {
        *ngx_snprintf((u_char *)pointer, sizeof pointer - 1, "/%uz/state", i) = '\0';
        state = jwtauth_json_get(sources, pointer);
        *ngx_snprintf((u_char *)pointer, sizeof pointer - 1, "/%uz/next_refresh", i) = '\0';
        next = jwtauth_json_get(sources, pointer);
        if (state != NULL && next != NULL && (ngx_strcmp(state, "fresh") == 0 || ngx_strcmp(state, "stale") == 0)) {
            seconds = ngx_atoi((u_char *)next, ngx_strlen(next));
            if (seconds >= 0 && (due < 0 || seconds < due)) {
                due = seconds;
            }
        }
        jwtauth_string_free(next);
        jwtauth_string_free(state);
    }
    jwtauth_string_free(sources);
    return due;
}

static void log_renewal(ngx_http_jwtauth_job_t *job) {
    char *detail;

    if (job->status == JWTAUTH_STATUS_OK) {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0, "jwtauth: the keys of \"%V\" were renewed", &job->verifier->file);
        return;
    }
    detail = jwtauth_json_get(job->reply, "/detail");
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "jwtauth: the keys of \"%V\" cannot be fetched: %s", &job->verifier->file,
        detail != NULL ? detail : jwtauth_status_name(job->status));
    jwtauth_string_free(detail);
}

static void on_done(ngx_event_t *event) {
    ngx_thread_task_t *task = event->data;
    ngx_http_jwtauth_job_t *job = task->ctx;
    ngx_http_jwtauth_verifier_t *verifier = job->verifier;
    ngx_http_request_t *r = job->request;
    ngx_connection_t *connection;

    if (event->timedout) {
        /* The thread has not ended yet. */
        event->timedout = 0;
        ngx_add_timer(event, 60000);
        return;
    }
    if (event->timer_set) {
        ngx_del_timer(event);
    }
    verifier->is_due_later = job->due >= 0;
    /* The times are whole seconds, so 0 may mean a part of one. */
    verifier->due = ngx_current_msec + (ngx_msec_t)ngx_max(job->due, 1) * 1000;
    if (job->json == NULL) {
        verifier->is_refreshing = 0;
        log_renewal(job);
    }

    if (r != NULL) {
        connection = r->connection;
        ngx_http_set_log_request(connection->log, r);
        job->ctx->job = NULL;
        ngx_http_jwtauth_decided(r, job->status, job->reply);
        job->reply = NULL;
        resume(r);
        ngx_http_run_posted_requests(connection);
    }
    jwtauth_string_free(job->reply);
    ngx_free(task);
    ngx_http_jwtauth_release(verifier);
}

/* Continues with the phase that the request slept in. */
static void resume(ngx_http_request_t *r) {
    if (r == r->main) {
        if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }
        r->read_event_handler = ngx_http_block_reading;
    }
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}
