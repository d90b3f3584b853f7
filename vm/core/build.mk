# The Ruby part of core: every vm/core/*.rb named in prelude.def becomes an array of bytes in $(B)/gen/prelude.c,
# which vm_boot compiles into the boot image.

PRELUDE_RB := $(wildcard vm/core/*.rb)
GEN_OBJ += $(B)/gen/prelude.o

$(B)/gen/prelude.c: vm/core/prelude.def $(PRELUDE_RB) vm/core/build.mk
	@mkdir -p $(@D)
	{ echo '#include "vm/prelude.h"'; \
	  names=$$(sed -n 's/^PRELUDE(\([a-z_]*\)).*/\1/p' vm/core/prelude.def); \
	  for n in $$names; do echo "static const char text_$$n[] = {"; \
	    od -An -v -tu1 vm/core/$$n.rb | sed 's/\([0-9][0-9]*\)/\1,/g'; echo "0};"; done; \
	  echo 'const PreludeFile prelude_files[] = {'; \
	  for n in $$names; do echo "{\"<internal:$$n>\", text_$$n, sizeof text_$$n - 1},"; done; \
	  echo '{0, 0, 0}};'; } > $@

$(B)/gen/prelude.o: $(B)/gen/prelude.c include/vm/prelude.h
	$(CC) -Iinclude $(CFLAGS) -Wno-overflow -fsigned-char -c $< -o $@
