# One object is changed by every mutating method there is: none escapes the commit.  Debug builds compare each clean
# object with its record at every boundary and end with a PANIC that names the class; here another session also reads
# what the first one saw last.
. "$LODE_TOP/regress/lib.sh"
cat >mutate.rb <<'RUBY'
Maglev.persistent { class Holder; attr_accessor :a, :b; end; Pair = Struct.new(:x, :y) }
makers = {
  string: -> { +"hello world, hello" },
  array: -> { [5, 3, nil, 3, [1, [2]], "a"].dup },
  numbers: -> { [5, 3, 9, 3, 1] },
  hash: -> { { a: 1, "b" => [2], 3 => nil } },
  set: -> { Set.new([1, 2, 3]) },
  object: -> { Holder.new.tap { |h| h.a = 1 } },
  struct: -> { Pair.new(1, [2]) },
}
arguments = [[], [0], [1], ["x"], [:a], ["b", "z"], [:a, 9], [[7, 8]], [1, 2], [1, 2, 3], [{ z: 1 }], [Set.new([1, 9])], [/l/, "L"], [->(*x) { x }]]
blocks = [nil, proc { |*x| x.size > 5 }, proc { |x| x.to_s }, proc { |a, b| a.to_s <=> b.to_s }]
skip = %i[instance_exec instance_eval __send__ send public_send exit exit! abort fork exec sleep gets binding loop raise fail throw
          catch trap system spawn ` eval require load require_relative autoload at_exit callcc become pause display puts print p
          method_missing each_entry cycle combination permutation repeated_combination repeated_permutation product crypt to_enum enum_for
          lazy then yield_self tap instance_variable_get method public_method singleton_method define_singleton_method
          encode! encode unicode_normalize! unicode_normalize unpack unpack1 freeze object_id __id__ hash dup clone find_references_in_memory
          committed? extend singleton_class]
calls = arguments.product(blocks)
tried = 0
makers.each do |kind, make|
  names = make.call.public_methods.uniq - skip
  names.reject { |n| n.match?(/unicode/) }.sort.each do |name|
    Maglev[kind] = calls.map { make.call }
    Maglev.commit
    Maglev[kind].zip(calls) do |object, (args, block)|
      object.public_send(name, *args.map { |a| a.frozen? ? a : a.dup }, &block)
    rescue StandardError, ScriptError, SystemStackError
    ensure
      tried += 1
    end
    begin
      Maglev.commit
    rescue TransactionError
      Maglev.abort
      Maglev[kind] = []
    end
  end
  Maglev[:last] ||= {}
  Maglev[:last][kind] = Maglev[kind].inspect
  Maglev.commit
end
puts tried > 1000
RUBY
prints true lode mutate.rb
prints true lode -e 'p Maglev[:last].all? { |kind, text| Maglev[kind].inspect == text }'
