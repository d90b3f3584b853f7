# Two live sessions intern different new symbols and instance-variable names in opposite order, commit, and both read both.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e 'Maglev.persistent { class Thing; end }; Maglev[:a] = nil; Maglev[:things] = {}; Maglev[:x] = {}; Maglev[:y] = {}; Maglev.commit'
session_open a
session_open b
said '=> nil' a '1.times { t = Thing.new; t.instance_variable_set(:@from_a, 1); t.instance_variable_set(:@shared, 2); Maglev[:x][:sym_one] = [t, :sym_two, :sym_three]; nil } && nil'
said '=> nil' b '1.times { t = Thing.new; t.instance_variable_set(:@shared, 3); t.instance_variable_set(:@from_a, 4); Maglev[:y][:sym_three] = [t, :sym_one, :sym_four]; nil } && nil'
said '=> true' b 'Maglev.commit'
said '=> true' a 'Maglev.commit'
for s in a b; do
    session $s 'Maglev.begin_transaction' >/dev/null
    said '=> [[:sym_two, :sym_three], [:sym_one, :sym_four]]' $s '[Maglev[:x][:sym_one].drop(1), Maglev[:y][:sym_three].drop(1)]'
    said '=> [[1, 2], [4, 3]]' $s '[Maglev[:x][:sym_one][0], Maglev[:y][:sym_three][0]].map { |t| [t.instance_variable_get(:@from_a), t.instance_variable_get(:@shared)] }'
    said '=> [[:@from_a, :@shared], [:@shared, :@from_a]]' $s '[Maglev[:x][:sym_one][0], Maglev[:y][:sym_three][0]].map(&:instance_variables)'
done
session_close a
session_close b
kill_everything
prints '[:sym_two, :sym_three]' lode -e 'p Maglev[:x][:sym_one].drop(1)'
