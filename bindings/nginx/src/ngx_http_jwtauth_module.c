/* The directives, how they are inherited, and where nginx calls the module. */

#include "ngx_http_jwtauth.h"

static void *create_main_conf(ngx_conf_t *cf);
static void *create_loc_conf(ngx_conf_t *cf);
static char *merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
static char *set_config(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_enabled(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_profile(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_thread_pool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t postconfiguration(ngx_conf_t *cf);
static ngx_int_t init_process(ngx_cycle_t *cycle);
static void exit_process(ngx_cycle_t *cycle);

#define ANYWHERE (NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_HTTP_LMT_CONF)

static ngx_command_t commands[] = {
    {ngx_string("jwtauth_config"), ANYWHERE | NGX_CONF_TAKE1, set_config, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("jwtauth"), ANYWHERE | NGX_CONF_TAKE1, set_enabled, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("jwtauth_profile"), ANYWHERE | NGX_CONF_TAKE1, set_profile, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("jwtauth_require"), ANYWHERE | NGX_CONF_1MORE, ngx_http_jwtauth_require, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("jwtauth_set"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE2, ngx_http_jwtauth_set, 0, 0, NULL},
    {ngx_string("jwtauth_thread_pool"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_thread_pool, NGX_HTTP_MAIN_CONF_OFFSET, 0,
        NULL},
    ngx_null_command,
};

static ngx_http_module_t context = {
    ngx_http_jwtauth_add_variables,
    postconfiguration,
    create_main_conf,
    NULL,
    NULL,
    NULL,
    create_loc_conf,
    merge_loc_conf,
};

ngx_module_t ngx_http_jwtauth_module = {
    NGX_MODULE_V1,
    &context,
    commands,
    NGX_HTTP_MODULE,
    NULL,
    NULL,
    init_process,
    NULL,
    NULL,
    exit_process,
    NULL,
    NGX_MODULE_V1_PADDING,
};

static void *create_main_conf(ngx_conf_t *cf) {
    ngx_http_jwtauth_main_conf_t *mcf = ngx_pcalloc(cf->pool, sizeof *mcf);

    if (mcf == NULL
        || ngx_array_init(&mcf->verifiers, cf->pool, 2, sizeof(ngx_http_jwtauth_verifier_t *)) != NGX_OK) {
        return NULL;
    }
    return mcf;
}

static void *create_loc_conf(ngx_conf_t *cf) {
    ngx_http_jwtauth_loc_conf_t *lcf = ngx_pcalloc(cf->pool, sizeof *lcf);

    if (lcf == NULL) {
        return NULL;
    }
    lcf->enabled = NGX_CONF_UNSET;
    lcf->verifier = NGX_CONF_UNSET_PTR;
    lcf->needs = NGX_CONF_UNSET_PTR;
    return lcf;
}

/* A block with requirements is checked, also if it does not say so: a forgotten directive must not open it. */
static char *settle(ngx_conf_t *cf, ngx_http_jwtauth_loc_conf_t *lcf) {
    if (!lcf->has_own_needs) {
        return NGX_CONF_OK;
    }
    if (lcf->enabled == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "a block has both \"jwtauth_require\" and \"jwtauth off\"; remove one of them");
        return NGX_CONF_ERROR;
    }
    lcf->enabled = 1;
    return NGX_CONF_OK;
}

static char *merge_loc_conf(ngx_conf_t *cf, void *parent, void *child) {
    ngx_http_jwtauth_loc_conf_t *outer = parent, *inner = child;
    ngx_http_core_loc_conf_t *clcf;

    if (settle(cf, outer) != NGX_CONF_OK || settle(cf, inner) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }
    if (!inner->has_realm) {
        inner->realm = outer->realm;
        inner->has_realm = outer->has_realm;
    }
    ngx_conf_merge_value(inner->enabled, outer->enabled, 0);
    ngx_conf_merge_ptr_value(inner->verifier, outer->verifier, NULL);
    ngx_conf_merge_str_value(inner->profile, outer->profile, "");
    ngx_conf_merge_ptr_value(inner->needs, outer->needs, NULL);
    if (!inner->enabled) {
        /* A block inside of this one that switches the check on inherits the requirements, too. */
        return NGX_CONF_OK;
    }

    if (inner->verifier == NULL) {
        clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"jwtauth\" is on%s%V, but \"jwtauth_config\" is missing",
            clcf->name.len > 0 ? " in the location " : "", &clcf->name);
        return NGX_CONF_ERROR;
    }
    return ngx_http_jwtauth_check_profile(cf, inner->verifier, &inner->profile) == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}

static char *set_config(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    ngx_http_jwtauth_loc_conf_t *lcf = conf;
    ngx_str_t *value = cf->args->elts, file = value[1];

    (void)cmd;
    if (lcf->verifier != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }
    if (file.len == 0) {
        return "needs the name of a file";
    }
    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }
    lcf->verifier =
        ngx_http_jwtauth_verifier(cf, ngx_http_conf_get_module_main_conf(cf, ngx_http_jwtauth_module), &file);
    return lcf->verifier == NULL ? NGX_CONF_ERROR : NGX_CONF_OK;
}

static char *set_enabled(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    ngx_http_jwtauth_loc_conf_t *lcf = conf;
    ngx_str_t *value = cf->args->elts;
    size_t i;

    (void)cmd;
    if (lcf->enabled != NGX_CONF_UNSET) {
        return "is duplicate";
    }
    if (ngx_strcmp(value[1].data, "off") == 0) {
        lcf->enabled = 0;
        return NGX_CONF_OK;
    }
    lcf->enabled = 1;
    lcf->has_realm = 1;
    if (ngx_strcmp(value[1].data, "on") == 0) {
        return NGX_CONF_OK;
    }
    for (i = 0; i < value[1].len; i++) {
        if (value[1].data[i] < ' ' || value[1].data[i] > '~' || value[1].data[i] == '"' || value[1].data[i] == '\\') {
            return "must be on, off, or a realm of printable ASCII without quotes and backslashes";
        }
    }
    if (value[1].len == 0) {
        return "must be on, off, or a realm";
    }
    lcf->realm = value[1];
    return NGX_CONF_OK;
}

static char *set_profile(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    ngx_http_jwtauth_loc_conf_t *lcf = conf;
    ngx_str_t *value = cf->args->elts;

    (void)cmd;
    if (lcf->profile.data != NULL) {
        return "is duplicate";
    }
    if (ngx_http_jwtauth_is_utf8(&value[1]) != NGX_OK) {
        return "must be UTF-8";
    }
    lcf->profile = value[1];
    return NGX_CONF_OK;
}

static char *set_thread_pool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    ngx_http_jwtauth_main_conf_t *mcf = conf;
    ngx_str_t *value = cf->args->elts;

    (void)cmd;
    if (mcf->thread_pool.data != NULL) {
        return "is duplicate";
    }
    mcf->thread_pool = value[1];
    return NGX_CONF_OK;
}

static ngx_int_t add_handler(ngx_http_core_main_conf_t *cmcf, ngx_uint_t phase, ngx_http_handler_pt handler) {
    ngx_http_handler_pt *place = ngx_array_push(&cmcf->phases[phase].handlers);

    if (place == NULL) {
        return NGX_ERROR;
    }
    *place = handler;
    return NGX_OK;
}

static ngx_int_t postconfiguration(ngx_conf_t *cf) {
    ngx_http_core_main_conf_t *cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_jwtauth_main_conf_t *mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_jwtauth_module);

    if (mcf->verifiers.nelts == 0) {
        return NGX_OK;
    }
    if (mcf->thread_pool.data == NULL) {
        ngx_str_set(&mcf->thread_pool, "default");
    }
    /* An unknown pool is an error of the configuration, so in a worker there always is one. */
    if (ngx_thread_pool_add(cf, &mcf->thread_pool) == NULL) {
        return NGX_ERROR;
    }
    if (add_handler(cmcf, NGX_HTTP_PREACCESS_PHASE, ngx_http_jwtauth_preaccess) != NGX_OK
        || add_handler(cmcf, NGX_HTTP_ACCESS_PHASE, ngx_http_jwtauth_access) != NGX_OK) {
        return NGX_ERROR;
    }
    return NGX_OK;
}

static ngx_int_t init_process(ngx_cycle_t *cycle) {
    ngx_http_jwtauth_main_conf_t *mcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE) {
        return NGX_OK;
    }
    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_jwtauth_module);
    return mcf == NULL ? NGX_OK : ngx_http_jwtauth_start(cycle, mcf);
}

/* The threads have ended before, and nothing reads the results of their last jobs. */
static void exit_process(ngx_cycle_t *cycle) {
    ngx_http_jwtauth_main_conf_t *mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_jwtauth_module);
    ngx_uint_t i;

    for (i = 0; mcf != NULL && i < mcf->verifiers.nelts; i++) {
        ((ngx_http_jwtauth_verifier_t **)mcf->verifiers.elts)[i]->users = 1;
    }
}
