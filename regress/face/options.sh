# lode takes ruby's options, arguments and standard input, and gives its exit codes.
. "$LODE_TOP/regress/lib.sh"
for solo in '' --solo; do
    [ -n "$solo" ] && server_stop # one process owns the store
    prints '3' lode $solo -e 'p 1 + 2'
    prints '1
2' lode $solo -e 'puts 1' -e 'puts 2'
    prints '["a", "b c", "-e"]' lode $solo -e 'p ARGV' a 'b c' -e
    echo 'p [$0, __FILE__, ARGV]' >script.rb
    prints '["script.rb", "script.rb", ["x"]]' lode $solo script.rb x
    prints '["-", "-", ["y"]]' lode $solo - y <script.rb
    prints '["-", "-", []]' lode $solo <script.rb
    prints '"4.0.0"' lode $solo -e 'p RUBY_VERSION'
    prints 'Syntax OK' lode $solo -c script.rb
    prints 'A
B' lode $solo -ne 'puts $_.upcase' <<<'a
b'
    prints '1-x
2-y' lode $solo -pe '$_ = "#{$.}-#$_"' <<<'x
y'
    prints 'two' lode $solo -lane 'puts $F[1]' <<<'one two three'
    mkdir -p lib && echo 'X = 5' >lib/five.rb
    prints '5' lode $solo -I lib -r five -e 'p X'
    prints '5' lode $solo -C lib -r ./five -e 'p X'
    printf 'junk\n#!/usr/bin/env ruby\np 7\n__END__\nmore\n' >mail
    prints '7' lode $solo -x mail
    echo old >edit.txt
    prints '' lode $solo -i.bak -pe '$_.sub!("old", "new")' edit.txt
    same '-i edits in place' 'new old' "$(cat edit.txt) $(cat edit.txt.bak)"
    rm edit.txt*
    # Warning categories: a level sets them all, -W:name changes one; the command line overrides RUBYOPT.
    show='p [$VERBOSE, *Warning.categories.select { Warning[it] }]'
    prints '[false, :experimental]' lode $solo -e "$show"
    prints '[true, :deprecated, :experimental]' lode $solo -w -e "$show"
    prints '[nil]' lode $solo -W0 -e "$show"
    prints '[false]' lode $solo -W:no-experimental -e "$show"
    prints '[true, :experimental]' lode $solo -w -W:no-deprecated -e "$show"
    prints '[true, :deprecated, :experimental]' lode $solo -W:no-deprecated -w -e "$show"
    prints '[nil, :performance]' lode $solo -W0 -W:performance -e "$show"
    prints '[false, :deprecated]' env RUBYOPT='-W:deprecated -W:no-experimental' lode $solo -e "$show"
    prints '[true, :experimental]' env RUBYOPT=-w lode $solo -W:no-deprecated -e "$show"
    exits 0 lode $solo -W:nonsense -e 1
    same 'an unknown category' "lode: warning: unknown warning category: 'nonsense'" "$err"
    exits 7 lode $solo -e 'exit 7'
    exits 0 lode $solo -e 'exit'
    exits 1 lode $solo -e 'exit false'
    exits 3 lode $solo -e 'at_exit { exit 3 }'
    exits 5 lode $solo -e 'at_exit { puts 1 }; exit! 5'
    [ -z "$out" ] || die "exit! ran at_exit"
    exits 1 lode $solo -e 'raise "oops"'
    contains 'the report' "-e:1:in '<main>': oops (RuntimeError)" "$err"
    exits 1 lode $solo -e 'abort "bye"'
    same 'abort says' bye "$err"
    exits 143 lode $solo -e 'Process.kill(:TERM, $$); sleep 5'
    exits 137 lode $solo -e 'Process.kill(:KILL, $$); sleep 5'
    exits 1 lode $solo -e 'def x'
    contains 'a syntax error' 'syntax error' "$err"
    prints 'from a pipe' bash -c "echo from a pipe | lode $solo -e 'puts gets'"
    prints '2' bash -c "lode $solo -e 'puts 1; puts 2' | tail -n 1"
    prints 'V=x D='"$PWD" env V=x lode $solo -e 'puts "V=#{ENV["V"]} D=#{Dir.pwd}"'
done
