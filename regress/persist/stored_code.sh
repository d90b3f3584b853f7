# The programs and language scripts of regress/ruby run from the store alone: one session commits each as a proc (its
# code, classes, blocks and literals with it), another, that sees no source file, calls it and prints what CRuby prints.
. "$LODE_TOP/regress/lib.sh"
cat >keep.rb <<'RUBY'
path, name = ARGV
source = File.read(path)
first = [] # BEGIN may not stand in a block: its body goes before all else, on the line that is not the script's
source.gsub!(/^BEGIN \{(.*)\}$/) { first << $1; "" }
Maglev.persistent do
  Maglev[name] = eval("proc do #{first.join(";")}\n#{source}\nend", TOPLEVEL_BINDING, name, 0)
  Maglev.commit
end
RUBY
mkdir empty || die mkdir
for script in "$LODE_TOP"/regress/ruby/program_*.rb "$LODE_TOP"/regress/ruby/language_*.rb; do
    name=$(basename "$script")
    prints '' lode keep.rb "$script" "$name"
    (cd empty && lode -e 'program = Maglev[ARGV[0]]; program.call; $stdout.flush' "$name" >../out 2>../err) ||
        die "status of $name: $(head -n 3 err)"
    expected=$LODE_TOP/regress/ruby/expected/${name%.rb}.out
    same "output of $name from the store" "$(cat "$expected")" "$(cat out)"
done
