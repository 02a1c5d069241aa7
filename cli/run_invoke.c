/* run_invoke.c - mote run --invoke: calls one export with arguments from the command line and prints what it returns. */
#include "run.h"

struct invocation {
    struct run *run;
    const char *name;
    mote_func func;
    const mote_type *type;
    mote_value *args, *results;
    size_t arg_count, result_count;
};

static int check_count(const struct invocation *call, size_t given) {
    if (given == call->arg_count) return EXIT_DONE;
    char text[256];
    mote_type_print(call->type, text, sizeof text);
    return report_usage("`%s` takes %zu arguments, not %zu: %s", call->name, call->arg_count, given, text);
}

static int parse_arguments(const struct invocation *call) {
    const struct args *args = call->run->args;
    int code = check_count(call, (size_t)args->operand_count - 1);
    for (size_t i = 0; i < call->arg_count && !code; i++) {
        mote_valtype type = mote_type_param(call->type, i);
        const char *text = args->operands[i + 1];
        if (value_parse(text, type, &call->args[i])) continue;
        char name[64];
        mote_valtype_print(type, name, sizeof name);
        code = report_usage("argument %zu of `%s` is to be %s, and `%s` is none", i + 1, call->name, name, text);
    }
    return code;
}

static void print_results(const struct invocation *call) {
    for (size_t i = 0; i < call->result_count; i++) {
        value_print(stdout, call->run->store, &call->results[i]);
        putchar('\n');
    }
}

/* Ends the program's threads, if it has any, and says what became of it all. */
static int finish(struct run *run, mote_status status, mote_error *error, const struct invocation *call) {
    uint32_t exit_code = 0;
    bool returned = status == MOTE_OK;
    status = mote_wasi_finish(run->wasi, status, &exit_code, error);
    if (status != MOTE_OK) return report_call_error(&run->input, run->module, run->store, error);
    if (returned && call) print_results(call);
    return (int)exit_code;
}

static int find_func(struct run *run, mote_instance instance, struct invocation *call) {
    mote_error error;
    if (mote_instance_func(instance, call->name, &call->func, &error) != MOTE_OK)
        return report_usage("%s: %s", run->input.name, error.message);
    call->type = mote_func_type(call->func);
    call->arg_count = mote_type_param_count(call->type);
    call->result_count = mote_type_result_count(call->type);
    call->args = MOTE__ARENA_ARRAY(&run->arena, mote_value, call->arg_count);
    call->results = MOTE__ARENA_ARRAY(&run->arena, mote_value, call->result_count);
    return call->args && call->results ? EXIT_DONE : report_failure("out of memory");
}

int run_invoke(struct run *run, const char *name) {
    mote_instance instance;
    mote_error error = {0};
    struct invocation call = {.run = run, .name = name};
    mote_status status = mote_linker_instantiate(run->linker, run->store, run->module, &instance, &error);
    if (status == MOTE_OK) status = mote_wasi_initialize(run->store, instance, &error);
    if (status != MOTE_OK) return finish(run, status, &error, NULL);
    int code = find_func(run, instance, &call);
    if (!code) code = parse_arguments(&call);
    if (code) {
        finish(run, MOTE_OK, &error, NULL);
        return code;
    }
    status = mote_call(run->store, call.func, call.args, call.arg_count, call.results, call.result_count, &error);
    return finish(run, status, &error, &call);
}
