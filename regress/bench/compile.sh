# compile.sh: source to bytecode, MB a second of processor time over all files of the Ruby that is installed; beside CRuby's own
# compiler (RubyVM::InstructionSequence) on the same files in one process.  Medians of interleaved runs.
. "$LODE_TOP/regress/lib.sh"
cd "$LODE_TEST_DIR" || exit 1
find /usr/lib/ruby /usr/share/rubygems-integration -name '*.rb' -type f 2>/dev/null >files
[ -s files ] || skip "no Ruby library is installed"
cat >iseq.rb <<'RUBY'
bytes, seconds = 0, 0.0
File.foreach("files", chomp: true) do |name|
  source = File.binread(name).force_encoding("UTF-8")
  start = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
  RubyVM::InstructionSequence.compile(source, name) rescue SyntaxError
  seconds += Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - start
  bytes += source.bytesize
end
printf("%.1f\n", bytes / 1e6 / seconds)
RUBY
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
for ((i = 0; i < ${LODE_ROUNDS:-3}; i++)); do
    "$LODE_BUILD/regress/tools/compile" <files | sed -n '$s/.* \([0-9.]*\) MB.*/\1/p' >>ours
    ruby -W0 iseq.rb >>cruby 2>/dev/null
done
ours=$(median ours)
printf '%-40s %8.1f MB/s\n' "compile, $(wc -l <files) files" "$ours"
[ -s cruby ] && awk -v a="$ours" -v b="$(median cruby)" \
    'BEGIN { printf "%-40s %8.1f MB/s  (%.2f of it)\n", "CRuby", b, a / b }'
exit 0
