# Long strings are stored in chunks: a change of a few bytes writes those chunks and the root, in memory or read anew; whatever
# is done to them, other sessions find what a plain string would hold, conflicts included.
. "$LODE_TOP/regress/lib.sh"
lodectl -D "$LODE_STORE" init >/dev/null || die init
server_start
cat >cost.rb <<'RUBY'
def cost
  before = Maglev.statistics
  yield
  Maglev.commit
  after = Maglev.statistics
  [after[:chunks_read] - before[:chunks_read], after[:chunks_written] - before[:chunks_written]]
end
def text = Maglev[:text]
RUBY
prints '[[0, 313], [0, 1], [0, 2], [0, 1], [0, 1]]' lode -r ./cost.rb -e '
Maglev[:text] = Random.new(7).bytes(10_000_000)
p [cost { }, cost { text.setbyte(5_000_000, text.getbyte(5_000_000) ^ 1) }, cost { text[31_999, 2] = "ab" }, cost { text << "tail" }, cost { text.bytesplice(0, 3, "xyz") }]'
cat >same.rb <<'RUBY'
wanted = Random.new(7).bytes(10_000_000)
wanted.setbyte(5_000_000, wanted.getbyte(5_000_000) ^ 1)
wanted[31_999, 2] = "ab"
wanted << "tail"
wanted.bytesplice(0, 3, "xyz")
p Maglev[:text] == wanted, Maglev[:text].encoding
RUBY
prints 'true
#<Encoding:BINARY (ASCII-8BIT)>' lode same.rb
prints '[313, 1]' lode -r ./cost.rb -e 'p cost { text.setbyte(9_999_999, 9) }'
session_open a
session_open b
# undone, by abort and by a nested one; what others changed is read
said '=> [120, 120, 1]' a 't = Maglev[:text]; t.setbyte(0, 1); Maglev.abort; x = t.getbyte(0); Maglev.begin_nested_transaction; t.setbyte(0, 2); Maglev.abort; y = t.getbyte(0); Maglev.begin_nested_transaction; t.setbyte(1, 1); Maglev.commit; [x, y, t.getbyte(1)]'
said '=> true' a 'Maglev.commit'
said '=> [1, 1]' b 'Maglev.abort; u = Maglev[:text]; u.setbyte(2, 1); r = [u.getbyte(1), u.getbyte(2)]; Maglev.commit; r'
said '=> :conflict' a 't.setbyte(9_000_000, 5); begin; Maglev.commit; rescue Maglev::CommitFailedException; :conflict; end'
said '=> [1, false]' a 'Maglev.abort; [t.getbyte(2), t.getbyte(9_000_000) == 5]'
said '=> true' a 't.setbyte(9_000_000, 5); Maglev.commit'
said '=> [1, 5]' b 'Maglev.abort; [u.getbyte(2), u.getbyte(9_000_000)]'
# what another did is done back
said '=> 122' a 't.getbyte(2_000_000).then { |x| t.setbyte(2_000_000, 122) }; Maglev.commit; t.getbyte(2_000_000)'
said '=> true' b 'Maglev.abort; u.setbyte(2_000_000, 33); Maglev.commit'
said '=> true' a 'Maglev.abort; t.setbyte(2_000_000, 122); Maglev.commit'
said '=> 122' b 'Maglev.abort; u.getbyte(2_000_000)'
# a commit that is refused for something else, then goes; shorter and longer, short and long again, frozen, copied
said '=> [TransactionError, true]' a 't.setbyte(3, 77); Maglev[:io] = $stdout; e = begin; Maglev.commit; rescue TransactionError => e; e.class; end; Maglev.root.delete(:io); [e, Maglev.commit]'
said '=> [77, 10000004]' b 'Maglev.abort; [u.getbyte(3), u.bytesize]'
said '=> true' a 't.replace(t.byteslice(0, 300_000)); Maglev.commit'
said '=> [300000, 77]' b 'Maglev.abort; [u.bytesize, u.getbyte(3)]'
said '=> true' a 't.replace("short"); Maglev.commit; t.replace("long" * 100_000); Maglev.commit; Maglev[:copy] = t.dup; Maglev[:frozen] = ("é" * 100_000).freeze; Maglev.commit; t << "er"; Maglev.commit'
said '=> [400002, 400000, "long", [true, 100000, true]]' b 'Maglev.abort; f = Maglev[:frozen]; [u.size, Maglev[:copy].size, Maglev[:copy][-4..], [f.frozen?, f.size, f == "é" * 100_000]]'
session_close a
session_close b
server_stop
contains 'verify' 'all well' "$(lodectl -D "$LODE_STORE" verify)"
prints '[400002, "longer"]' lode --solo -e 'p [Maglev[:text].size, Maglev[:text][-6..]]'
