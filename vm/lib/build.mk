# Libraries in Ruby that come with the program: vm/lib/<feature>.rb becomes an array of bytes in $(B)/gen/library.c.
# `require "feature"` finds them after $LOAD_PATH (vm/interp/load.c).

LIBRARY_RB := $(sort $(wildcard vm/lib/*.rb vm/lib/*/*.rb))
GEN_OBJ += $(B)/gen/library.o

$(B)/gen/library.c: $(LIBRARY_RB) vm/lib/build.mk
	@mkdir -p $(@D)
	$(if $(V),,@echo '  GEN $@'); \
	{ echo '#include "vm/prelude.h"'; i=0; \
	  for f in $(LIBRARY_RB); do i=$$((i+1)); echo "static const char text_$$i[] = {"; \
	    od -An -v -tu1 $$f | sed 's/\([0-9][0-9]*\)/\1,/g'; echo "0};"; done; i=0; \
	  echo 'const PreludeFile library_files[] = {'; \
	  for f in $(LIBRARY_RB); do i=$$((i+1)); n=$${f#vm/lib/}; \
	    echo "{\"<internal:$${n%.rb}>\", text_$$i, sizeof text_$$i - 1},"; done; \
	  echo '{0, 0, 0}};'; } > $@

$(B)/gen/library.o: $(B)/gen/library.c include/vm/prelude.h
	$(CC) -Iinclude $(CFLAGS) -Wno-overflow -fsigned-char -c $< -o $@
