# rb_run: one Ruby script in one process without a store, for early tests of the VM (regress/unit/rb_run.c).

RB_RUN_OBJ := $(B)/regress/unit/rb_run.o
RB_RUN_OBJ := $(RB_RUN_OBJ:regress/%.c=$(B)/regress/%.o)
$(B)/regress/unit/rb_run: $(RB_RUN_OBJ) $(B)/liblodestone.a
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

rb_run: $(B)/regress/unit/rb_run
.PHONY: rb_run
-include $(B)/regress/unit/rb_run.d

# What it reads is changed on the way from the store to vm/persist.
$(B)/regress/tools/record_fuzz: LDFLAGS += -Wl,--wrap=store_fetch,--wrap=record_check_clean
