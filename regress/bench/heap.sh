# heap.sh: the heap beside that of Debian's ruby.
#   1  programs of regress/bench/heap that allocate much (each checks its own result): processor time and largest resident size
#      of whole processes, medians of interleaved runs, as shares of ruby's
#   2  pauses of a program that works in 1 GB of living objects: how many took how long, in the processor's time
#   3  bytes of living objects after boot and with a large library loaded; how many sequences of instructions hold objects,
#      over all files of the Ruby that is installed
#
#   LODE_BENCH_ROUNDS=9      runs of each (5)
#   LODE_BENCH_PAUSES=128    megabytes that live in 2 (1024)
. "$LODE_TOP/regress/lib.sh"
programs=$LODE_TOP/regress/bench/heap
rounds=${LODE_BENCH_ROUNDS:-5}
cd "$LODE_TEST_DIR" || exit 1
lodectl -D "$LODE_STORE" init >/dev/null || exit 1
echo 'heap_limit = 8GB' >>"$LODE_STORE/lodestone.conf"
[ -x /usr/bin/time ] || skip "/usr/bin/time is not installed"
median() { sort -n "$@" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

ruby -e 1 2>/dev/null && rubies="lode ruby" || rubies=lode
printf '%-12s %28s %36s\n' "" "user + system time (s)" "largest resident size (MB)"
for program in trees linked strings; do
    rm -f ./*.times ./*.sizes
    for ((i = 0; i < rounds; i++)); do
        for r in $rubies; do
            command=ruby
            [ $r = ruby ] || command="lode --solo"
            /usr/bin/time -o used -f '%U %S %M' $command -W0 "$programs/$program.rb" || die "$r $program"
            awk -v r=$r '{ print $1 + $2 >>(r ".times"); print $3 / 1024 >>(r ".sizes") }' used
        done
    done
    touch ruby.times ruby.sizes
    awk -v name=$program -v a="$(median lode.times)" -v b="$(median ruby.times)" -v c="$(median lode.sizes)" -v d="$(median ruby.sizes)" \
        'BEGIN { printf "%-12s %8.2f", name, a; if (b) printf "  (ruby %.2f: %.2f of it)", b, a / b
                 printf " %12.0f", c; if (d) printf "  (ruby %.0f: %.2f of it)", d, c / d; print "" }'
done

lode --solo -W0 "$programs/pauses.rb" "${LODE_BENCH_PAUSES:-1024}" || die "pauses"

cat >boot.rb <<'RUBY'
def live = GC.stat_heap.each_value.sum { |c| c[:slot_size] * c[:heap_live_slots] } / 1024
GC.start
boot = live
before = GC.stat(:malloc_bytes)
$LOAD_PATH.concat(Dir["/usr/lib/ruby/[0-9]*"])
%w[optparse erb fileutils logger ostruct pstore prettyprint tsort prime matrix rexml/document csv net/http].each do |name|
  require name
rescue LoadError, NameError # not installed, an extension of CRuby's, or written for an older Ruby
  next
end
GC.start
printf("%-52s %12d kB\n", "objects that live after boot", boot)
printf("%-52s %12d kB  (%d files; memory outside: %d kB)\n", "and with the standard library's", live, $LOADED_FEATURES.size,
       (GC.stat(:malloc_bytes) - before) / 1024)
RUBY
lode --solo -W0 boot.rb || die "boot"
find /usr/lib/ruby /usr/share/rubygems-integration -name '*.rb' -type f 2>/dev/null >files
[ ! -s files ] || "$LODE_BUILD/regress/tools/compile" <files |
    awk '/ sequences,/ { printf "%-52s %12.1f %%  (of %d in %s)\n", "sequences that hold objects", 100 * $3 / $1, $1, "all files" }'
exit 0
