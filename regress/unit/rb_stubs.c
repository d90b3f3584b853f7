#include "vm/core.h"
Value format_values(Value f, int argc, const Value *argv) { (void)argc; (void)argv; return f; }
Value match_nth(Value m, int n) { (void)m; (void)n; return V_NIL; }
Value match_pre(Value m) { (void)m; return V_NIL; }
Value match_post(Value m) { (void)m; return V_NIL; }
Value match_last_group(Value m) { (void)m; return V_NIL; }
Value match_named(Value m, Value n) { (void)m; (void)n; return V_NIL; }
Value regexp_new_str(Value s, int o) { (void)o; return s; }
Value regexp_new(const char *s, size_t l, int o, int e) { (void)o; (void)e; return str_new(s, l); }
void string_regexp_boot(void); void string_regexp_boot(void) {}
int match_name_to_number(Value m, Value n); int match_name_to_number(Value m, Value n) { (void)m; (void)n; return 0; }
Value match_new(Value re, Value s, void *r); Value match_new(Value re, Value s, void *r) { (void)re; (void)s; (void)r; return V_NIL; }
Value regexp_search(Value re, Value s, size_t f, bool b); Value regexp_search(Value re, Value s, size_t f, bool b) { (void)re; (void)s; (void)f; (void)b; return V_NIL; }
int64_t regexp_search_raw(Value re, Value s, size_t f, bool b, void *r); int64_t regexp_search_raw(Value re, Value s, size_t f, bool b, void *r) { (void)re; (void)s; (void)f; (void)b; (void)r; return -1; }
Value str_transcode(Value s, int to, Value o); Value str_transcode(Value s, int to, Value o) { (void)to; (void)o; return s; }
