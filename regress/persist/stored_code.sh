# The programs and language scripts of regress/ruby run from the store alone: one session commits each as a proc (its
# code, classes, blocks and literals with it), another, that sees no source file, calls it and prints what CRuby prints.
# Left out are four that print what a proc can't share with a script: labels like <main>, and TOPLEVEL_BINDING's locals.
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
cd "$LODE_TOP/regress/ruby" || die cd
scripts=$(ls program_*.rb language_*.rb interp_*.rb module_*.rb object_*.rb fiber*.rb thread*.rb loading*.rb refinements.rb tracepoint.rb |
    grep -vxE 'interp_(backtraces|eval|exceptions).rb|loading.rb')
cd - >/dev/null || die cd
for name in $scripts; do
    script=$LODE_TOP/regress/ruby/$name
    prints '' lode keep.rb "$script" "$name"
    (cd empty && lode -e 'program = Maglev[ARGV[0]]; program.call; $stdout.flush' "$name" >../out 2>../err) ||
        die "status of $name: $(head -n 3 err)"
    expected=$LODE_TOP/regress/ruby/expected/${name%.rb}.out
    same "output of $name from the store" "$(cat "$expected")" "$(cat out)"
done
