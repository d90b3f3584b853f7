# vm/parse: Prism as C.
#
# `npm ci` brings @ruby/prism (the lock file fixes version and checksum), wasm2c
# turns its module into C.  Everything lands in $(B)/gen/prism.  wabt 1.0.32
# (Debian 12) is what the names in prism_host.c follow.

PRISM_DIR  := $(B)/gen/prism
PRISM_WASM := $(PRISM_DIR)/node_modules/@ruby/prism/src/prism.wasm

$(PRISM_WASM): vm/parse/package.json vm/parse/package-lock.json
	@mkdir -p $(PRISM_DIR)
	@command -v npm >/dev/null || { echo "npm is missing: apt-get install npm (or NodeSource's nodejs)" >&2; exit 1; }
	cp vm/parse/package.json vm/parse/package-lock.json $(PRISM_DIR)/
	cd $(PRISM_DIR) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@test -f $@ && touch $@

# The module's own idea of a depth limit is replaced by prism_guard.h.
$(PRISM_DIR)/prism.c: $(PRISM_WASM)
	@command -v wasm2c >/dev/null || { echo "wasm2c is missing: apt-get install wabt" >&2; exit 1; }
	wasm2c $< -o $(PRISM_DIR)/prism_raw.c
	sed -e 's/"prism_raw.h"/"prism.h"/' -e 's/prism_raw/prism/g' \
	    -e '/^#if WASM_RT_USE_STACK_DEPTH_COUNT/,/^#endif/c #include "vm/parse/prism_guard.h"' \
	    $(PRISM_DIR)/prism_raw.c > $@.tmp
	sed -e 's/prism_raw/prism/g' $(PRISM_DIR)/prism_raw.h > $(PRISM_DIR)/prism.h
	mv $@.tmp $@

$(PRISM_DIR)/prism.h: $(PRISM_DIR)/prism.c
	@test -f $@

PRISM_FLAGS := -DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0 -DWASM_RT_USE_STACK_DEPTH_COUNT=0

# Not our code: built at -O2 and without warnings and sanitizers in every build.
$(PRISM_DIR)/prism.o: $(PRISM_DIR)/prism.c vm/parse/prism_guard.h
	$(CC) -std=gnu17 -O2 -w -fno-strict-aliasing -I. -I$(PRISM_DIR) $(PRISM_FLAGS) -c $< -o $@

$(B)/vm/parse/prism_host.o: ALL_CPPFLAGS += $(PRISM_FLAGS)
$(B)/vm/parse/prism_runtime.o: ALL_CPPFLAGS += $(PRISM_FLAGS)

GEN_OBJ     += $(PRISM_DIR)/prism.o
GEN_HEADERS += $(PRISM_DIR)/prism.h
