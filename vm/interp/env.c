/*
 * env.c: Envs (windows of locals that outlive their call), walks along frames, and what the collector sees of them.
 *
 * A frame's window lies on the VM stack until a Proc or Binding of it is made; then env_reify moves it, with those of
 * all frames around it, into Envs.  The Env's slots are memory of their own and never move, so `base` may point into
 * them for as long as the frame runs (X4).  An active Env is scanned as the stack is; its slots never hold an oid.
 */
#include "vm/record.h"
#include "vm/interp/fiber.h"
#include "vm/interp/vm_state.h"
#include <sys/mman.h>
#include <unistd.h>

Env *env_ptr(Value v)
{
    obj_attend(v);
    return (Env *)v;
}

Value env_reify(Frame *f)
{
    if (f->env != V_NIL)
        return f->env;
    Value outer = V_NIL;
    if (ref_is_frame(f->outer))
        outer = env_reify(ref_frame(f->outer));
    else if (f->outer)
        outer = f->outer;
    Value block = f->block ? frame_block_proc(f) : V_NIL;
    Value v = heap_alloc_internal(T_ENV, sizeof(Env));
    Env *env = (Env *)v;
    slot_init(&env->outer, outer);
    slot_init(&env->code, (Value)f->code);
    slot_init(&env->self, f->self);
    slot_init(&env->cref, f->cref);
    slot_init(&env->me, f->me ? (Value)f->me : V_NIL);
    slot_init(&env->block, block);
    slot_init(&env->specials, f->specials);
    env->serial = f->serial;
    unsigned n = f->code->nregs;
    env->slots = heap_malloc((n ? n : 1) * sizeof(Slot));
    memcpy(env->slots, f->base, n * sizeof(Slot));
    env->nslots = n;
    env->active = 1;
    f->base = (Value *)env->slots;
    f->env = v;
    return v;
}

Value env_outermost(Value env)
{
    for (Value up = env; up != V_NIL; up = slot_read(env, &env_ptr(env)->outer))
        env = up;
    return env;
}

/* The frame returns: temporaries are forgotten, so that they keep nothing alive. */
void env_deactivate(Frame *f)
{
    Env *env = (Env *)f->env;
    unsigned keep = f->code->nlocals;
    for (unsigned i = keep; i < env->nslots; i++)
        slot_init(&env->slots[i], V_NIL);
    if (keep < env->nslots)
        env->nslots = keep;
    env->active = 0;
}

/* Address of a local of the depth-th frame around f.  What a block that came out of the store names may not be there: its code
 * and its Env are objects that need not belong together. */
Value *outer_local(Frame *f, unsigned depth, unsigned index, Value *env)
{
    uint64_t ref = f->outer;
    while (ref_is_frame(ref)) {
        Frame *up = ref_frame(ref);
        if (--depth == 0) {
            if (index >= up->code->nregs)
                code_corrupt("uses a local around a block that is not there");
            *env = up->env;
            return &up->base[index];
        }
        ref = up->outer;
    }
    Value v = ref;
    while (is_type(v, T_ENV) && --depth > 0)
        v = slot_read(v, &env_ptr(v)->outer);
    if (!is_type(v, T_ENV) || index >= env_ptr(v)->nslots)
        code_corrupt("uses a local around a block that is not there");
    *env = v;
    return (Value *)&env_ptr(v)->slots[index];
}

Frame *frame_ruby(Frame *f)
{
    while (f > vm.frames && !frame_is_ruby(f))
        f--;
    return f;
}

Frame *frame_caller(void)
{
    Frame *f = vm.fp;
    if (f > vm.frames && !frame_is_ruby(f))
        f--;
    return frame_ruby(f);
}

static Frame *frame_of_serial(uint64_t serial)
{
    for (Frame *f = vm.fp; f > vm.frames; f--)
        if (f->serial == serial)
            return f;
    return NULL;
}

Frame *frame_home(Frame *f)
{
    while (ref_is_frame(f->outer))
        f = ref_frame(f->outer);
    if (!f->outer)
        return f;
    Value env = f->outer;
    for (;;) {
        Env *e = env_ptr(env);
        if (slot_read(env, &e->outer) == V_NIL)
            return frame_of_serial(e->serial);
        env = slot_read(env, &e->outer);
    }
}

Slot *frame_specials(Frame *f, Value *owner)
{
    while (ref_is_frame(f->outer))
        f = ref_frame(f->outer);
    Value env = f->env;
    if (f->outer)
        env = f->outer;
    if (env == V_NIL) {
        *owner = V_NIL;
        return (Slot *)&f->specials;
    }
    env = env_outermost(env);
    if (env == vm.fiber->home) {
        *owner = V_NIL;
        return (Slot *)&vm.fiber->specials;
    }
    *owner = env;
    return &env_ptr(env)->specials;
}

/* The frame whose $~ a built-in sees: the Ruby part of core is transparent. */
static Frame *specials_frame(void)
{
    Frame *f = frame_caller();
    while (f > vm.frames && (f->code->flags & CODE_INTERNAL))
        f = frame_ruby(f - 1);
    return f;
}

static Value special_get_at(Frame *f, int i)
{
    Value owner;
    Slot *s = frame_specials(f, &owner);
    Value list = owner == V_NIL ? s->raw : slot_read(owner, s);
    return list == V_NIL ? V_NIL : ary_get(list, i);
}

static void special_set_at(Frame *f, int i, Value v)
{
    Value owner;
    Slot *s = frame_specials(f, &owner);
    Value list = owner == V_NIL ? s->raw : slot_read(owner, s);
    if (list == V_NIL) {
        if (v == V_NIL)
            return;
        list = ary_new_from(2, (Value[]){V_NIL, V_NIL});
        s = frame_specials(f, &owner);
        if (owner != V_NIL)
            obj_modify(owner);
        s = frame_specials(f, &owner);
        slot_init(s, list);
    }
    ary_set(list, i, v);
}

static Value special_get(int i)
{
    Frame *f = specials_frame();
    return f > vm.frames ? special_get_at(f, i) : V_NIL;
}

static void special_set(int i, Value v)
{
    Frame *f = specials_frame();
    if (f > vm.frames)
        special_set_at(f, i, v);
}

/* Behind $~ and $_: the flip-flops that are on, an Array of their keys, or nil. */
bool frame_flip_flop(Frame *f, Value key)
{
    Value on = special_get_at(f, 2);
    return on != V_NIL && ary_includes(on, key);
}

void frame_set_flip_flop(Frame *f, Value key, bool state)
{
    Value on = special_get_at(f, 2), others = ary_new(1);
    for (size_t i = 0; on != V_NIL && i < ary_len(on); i++)
        if (ary_get(on, (long)i) != key)
            ary_push(others, ary_get(on, (long)i));
    if (state)
        ary_push(others, key);
    special_set_at(f, 2, others);
}

Value frame_last_match(void)
{
    return special_get(0);
}
void frame_set_last_match(Value match)
{
    special_set(0, match);
}
Value frame_last_line(void)
{
    return special_get(1);
}
void frame_set_last_line(Value line)
{
    special_set(1, line);
}
Value frame_self(void)
{
    Frame *f = frame_caller();
    return f > vm.frames ? f->self : vm.main_object;
}
Value frame_cref(void)
{
    Frame *f = frame_caller();
    return f > vm.frames ? f->cref : vm.top_cref;
}
Value frame_renew_cref(void)
{
    Frame *f = frame_caller();
    if (f <= vm.frames)
        return V_NIL;
    f->cref = obj_dup_slots(f->cref);
    if (f->env != V_NIL) {
        obj_modify(f->env);
        slot_write(f->env, &env_ptr(f->env)->cref, f->cref);
    }
    return f->cref;
}
Value frame_method_name(void)
{
    Frame *f = frame_caller();
    return f > vm.frames && f->me ? symbol_value(f->me->original_name ? f->me->original_name : f->me->name) : V_NIL;
}

Value frame_callee(Frame *f)
{
    Frame *home = frame_home(f);
    if (!f->me)
        return V_NIL;
    if (home && home->me == f->me && home - 1 > vm.frames && !(home->flags & FRAME_FINISH) && home[-1].code) {
        const uint32_t *pc = home[-1].pc;
        MethodEntry *me = NULL;
        if (OPCODE(pc) == OP_CALL || OPCODE(pc) == OP_CALLX)
            me = method_find(class_of(home->self), symbol_value(pc[2]));
        if (me && method_resolve(me) == f->me)
            return symbol_value(pc[2]);
    }
    return symbol_value(f->me->name);
}

/* ---- crefs and throws: SLOTS objects without a Ruby class of their own ---- */
static uint32_t cref_shape, throw_shape;

static Value internal_new(ObjectType type, uint32_t shape, unsigned fields)
{
    return heap_alloc_head((uint64_t)shape << OH_SHAPE_AT | OF_EMBED | type, (1 + fields) * sizeof(Slot));
}

Value cref_new(Value module, Value outer, int visibility, Value singleton)
{
    Value v = internal_new(T_CREF, cref_shape, CREF_FIELDS);
    obj_init_field(v, CREF_MODULE, module);
    obj_init_field(v, CREF_OUTER, outer);
    obj_init_field(v, CREF_VISIBILITY, int_fix(visibility));
    obj_init_field(v, CREF_REFINEMENTS, V_NIL);
    obj_init_field(v, CREF_SINGLETON, singleton);
    return v;
}

Value throw_new(int kind, Value target, Value value)
{
    Value v = internal_new(T_THROW, throw_shape, THROW_FIELDS);
    obj_init_field(v, THROW_KIND, int_fix(kind));
    obj_init_field(v, THROW_TARGET, target);
    obj_init_field(v, THROW_VALUE, value);
    return v;
}

Value cref_definee(Value cref)
{
    Value module = obj_field(cref, CREF_MODULE);
    if (obj_field(cref, CREF_SINGLETON) == V_TRUE)
        return obj_singleton_class(module);
    return module;
}

/* ---- the collector's view ---- */
static void env_visit(Object *o, Visitor *v)
{
    Env *env = (Env *)o;
    visit_slots(v, &env->outer, 7);
    if (env->slots)
        visit_slots(v, env->slots, env->nslots);
}
static void env_free(Object *o)
{
    heap_free(((Env *)o)->slots);
}
static size_t env_memsize(Object *o)
{
    return ((Env *)o)->nslots * sizeof(Slot);
}
/* Its frame, which stores without a look at it, has returned. */
static bool env_closed(Object *o)
{
    return !((Env *)o)->active;
}
static const TypeRow env_row = {.name = "Env", .visit = env_visit, .free = env_free, .memsize = env_memsize, .closed = env_closed,
                                 .persist = env_persist, .restore = env_restore, .size = sizeof(Env)};

static void visit_pointer(Visitor *v, void *place) /* a pointer variable to a heap object, or NULL */
{
    Value x;
    memcpy(&x, place, sizeof x);
    if (x) {
        v->value(v, &x);
        memcpy(place, &x, sizeof x);
    }
}
static void visit_ref(Visitor *v, uint64_t *ref)
{
    if (*ref && (*ref & 7) == 0)
        v->value(v, ref);
}

void frames_visit(Visitor *v, Frame *frames, Frame *fp, Value *stack)
{
    Value *top = stack;
    for (Frame *f = frames; f <= fp; f++) {
        v->value(v, &f->self);
        visit_pointer(v, &f->code);
        visit_pointer(v, &f->me);
        visit_ref(v, &f->block);
        visit_ref(v, &f->passed);
        visit_ref(v, &f->outer);
        v->value(v, &f->cref);
        v->value(v, &f->env);
        visit_pointer(v, &f->block_code);
        v->value(v, &f->specials);
        if (f->top > top)
            top = f->top;
    }
    for (Value *p = stack; p < top; p++)
        v->value(v, p);
}

/* Clears all above `top` (X2): the page it lies in by hand, whole pages behind by giving them back. */
void stack_wipe(Value *top, Value *end)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    Value *next = (Value *)(((uintptr_t)top + page - 1) & ~(page - 1));
    if (next > end)
        next = end;
    memset(top, 0, (size_t)((char *)next - (char *)top));
    if (next < end)
        madvise(next, (size_t)((char *)end - (char *)next), MADV_DONTNEED);
}

/* A cache that holds what is out of date is emptied. */
static void visit_cache(InlineCache *c, Visitor *v)
{
    switch (c->extra & 0xff) {
    case CACHE_METHOD:
    case CACHE_PLAIN_CODE:
    case CACHE_CHOICES_CODE:
    case CACHE_BUILTIN:
    case CACHE_LEAF:
    case CACHE_READER:
    case CACHE_WRITER:
    case CACHE_PROC_CALL:
        if (c->serial == method_serial)
            v->value(v, &c->entry);
        else
            c->extra = c->guard = 0;
        break;
    case CACHE_CONST:
        if (c->serial == const_serial) {
            v->value(v, &c->entry);
            visit_ref(v, &c->extra2);
        } else {
            c->extra = c->guard = 0;
        }
        break;
    case CACHE_ONCE:
        v->value(v, &c->entry);
        break;
    default:
        break;
    }
}

static void forget_ivars(InlineCache *c)
{
    if ((c->extra & 0xff) == CACHE_IVAR)
        *c = (InlineCache){0};
}

void vm_ivar_caches_clear(void)
{
    for (uint32_t i = 0; i < vm.ncaches; i++)
        forget_ivars(&vm.caches[i]);
    for (unsigned i = 0; i < POLY_ROWS; i++)
        forget_ivars(&vm.poly[i].cache);
}

static void vm_visit(Visitor *v)
{
    v->value(v, &vm.errinfo);
    v->value(v, &vm.result);
    v->value(v, &vm.unwind);
    v->value(v, &vm.main_object);
    v->value(v, &vm.top_cref);
    v->value(v, &vm.stack_error);
    v->value(v, &vm.at_exit);
    v->value(v, &vm.script_name);
    v->value(v, &vm.script_file);
    v->value(v, &vm.script_binding);
    v->value(v, &vm.script_path);
    v->value(v, &vm.recursion);
    v->value(v, &vm.catch_tags);
    fiber_visit_roots(v);
    for (uint32_t i = 0; i < vm.ncaches; i++)
        visit_cache(&vm.caches[i], v);
    for (unsigned i = 0; i < POLY_ROWS; i++)
        visit_cache(&vm.poly[i].cache, v);
}

uint32_t vm_caches_reserve(uint32_t n)
{
    if (vm.ncaches + n > vm.caches_cap)
        ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("too much code is loaded: no inline caches left"));
    uint32_t base = vm.ncaches;
    vm.ncaches += n;
    return base;
}

void vm_stack_alloc(Value **stack, Value **stack_end, Frame **frames, Frame **frames_end, size_t words, size_t nframes)
{
    size_t size = words * sizeof(Value), fsize = nframes * sizeof(Frame);
    char *p = mmap(NULL, size + fsize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        ereport(ERROR, ERR_OUT_OF_MEMORY, errmsg("could not reserve a VM stack of %zu bytes", size + fsize));
    *stack = (Value *)p;
    *stack_end = *stack + words;
    *frames = (Frame *)(p + size);
    *frames_end = *frames + nframes;
}

void env_boot(void)
{
    heap_register_type(T_ENV, &env_row);
    uint32_t names[CREF_FIELDS] = {0};
    const char *cref_names[] = {"module", "outer", "visibility", "refinements", "singleton"};
    const char *throw_names[] = {"kind", "target", "value"};
    for (int i = 0; i < CREF_FIELDS; i++)
        names[i] = symbol_id(sym_intern(cref_names[i]));
    cref_shape = shape_new_root(klass.Object, T_CREF, names, CREF_FIELDS);
    for (int i = 0; i < THROW_FIELDS; i++)
        names[i] = symbol_id(sym_intern(throw_names[i]));
    throw_shape = shape_new_root(klass.Object, T_THROW, names, THROW_FIELDS);
    vm.caches_cap = 1u << 26;
    vm.caches = mmap(NULL, (size_t)vm.caches_cap * sizeof(InlineCache), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    vm.poly = mmap(NULL, POLY_ROWS * sizeof(PolyRow), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (vm.caches == MAP_FAILED || vm.poly == MAP_FAILED)
        ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("could not reserve room for inline caches"));
    vm.ncaches = 1;
    heap_add_visitor(vm_visit, "interpreter");
}
