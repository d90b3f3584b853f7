# Maglev::System: temporaries and statistics of the session, its heap, its store; the trap on what should not be saved.
. "$LODE_TOP/regress/lib.sh"
prints '[[1, nil], [0, 5, 3], RuntimeError, true, true, true, "store", true]' lode --store "$LODE_TEST_DIR/store" -e '
S = Maglev::System
p [[S.session_temp_put(:a, 1), S.session_temp(:b)],
   [S.get_session_stat(47), S.increment_session_stat(0, 5), S.decrement_session_stat(0, 2)],
   begin; S.set_session_stat(48, 1); rescue => e; e.class; end,
   S.temp_obj_space_used.between?(1, S.temp_obj_space_max), S.temp_obj_space_percent_used.between?(0, 100),
   S.getpgrp == Process.getpgrp, S.stone_name, S.stone_name(true).end_with?("/store")]'
LODE_STORE=$LODE_TEST_DIR/store
prints 'true
Maglev::PERSISTENT_ROOT[:list] -> #<Array>[0] -> #<Object>
true' lode --store "$LODE_STORE" -e '
secret = Object.new
Maglev::System.trap_add_to_closure_list(secret)
begin
  Maglev[:list] = [secret]
  Maglev.commit
rescue TransactionError => e
  puts e.object.equal?(secret), e.path
end
Maglev::System.trap_add_to_closure_list(nil)
p Maglev.commit'
prints '1' lode --store "$LODE_STORE" -e 'p Maglev[:list].size'
