# A session's whole life, over and over, with its n-th read, write, flush, allocation of disk, opening or renaming of a file failing, n = 1, 2, ...,
# until a life passes without meeting the fault: whatever happened, what it acknowledged is there afterwards, nothing is
# there in part, and lodectl verify finds the store whole.  A sample; every n with LODE_WORLD=1.
# timeout: 3000
. "$LODE_TOP/regress/lib.sh"
lodectl -D "$LODE_STORE" init >/dev/null || die init
cat >>"$LODE_STORE/lodestone.conf" <<'CONF'
page_cache_size = 1MB
checkpoint_wal_size = 1MB
wal_segment_size = 1MB
CONF
cat >life.rb <<'RUBY'
$stdout.sync = true
box = Maglev[:box] ||= [0, [0], {n: 0}, []]
n = box[0]
12.times do |i|
  begin
    n += 1
    box[0] = n
    box[1][0] = n
    box[2][:n] = n
    box[2][:"name #{n % 40}"] = "text #{n} " * 50
    box[3] = i == 5 ? Array.new(4000) { |k| [k, n] } : Array.new(300) { n } # a bulk commit; a vector
    Maglev.commit
    puts n
  rescue StandardError, NoMemoryError => e
    $stderr.puts "#{e.class}: #{e.message}"
    begin
      Maglev.abort
    rescue StandardError => again
      exit 3
    end
    n = box[0]
  end
  system("true") if i == 3
  GC.start if i == 7
end
RUBY
cat >check.rb <<'RUBY'
b = Maglev[:box] || [0, [0], {n: 0}, []]
last = b[3].last
same = [b[0], b[1][0], b[2][:n], last.is_a?(Array) ? last[1] : last || b[0]].uniq.size == 1
puts same ? b[0] : "torn: #{b[0]} #{b[1]} #{b[2][:n]} #{last}"
RUBY
check() { # what
    local acked=$(tail -n 1 acked) stored
    lodectl -D "$LODE_STORE" verify >verified 2>&1 || die "$1: $(cat verified)"
    stored=$(lode --solo check.rb 2>&1) || die "$1: $stored"
    case $stored in '' | *[!0-9]*) die "$1: $stored" ;; esac
    [ "$stored" -ge "${acked:-0}" ] || die "$1: $acked was acknowledged, $stored is stored"
    [ "$stored" -le $((${acked:-0} + 1)) ] || die "$1: $stored is stored, only $acked was acknowledged"
    echo "$stored" >acked
}
: >acked
prints "$(seq 12)" lode --solo life.rb
echo 12 >acked
check 'without a fault'
struck=0
for fault in ${LODE_FAULTS:-pwrite:EIO pwrite:ENOSPC pwrite:short pwritev2:EIO fdatasync:EIO fsync:EIO pread:EIO open:EMFILE fallocate:ENOSPC rename:EIO}; do
    op=${fault%%:*} kind=${fault#*:} last=3000 n=1
    while [ $n -le $last ]; do
        LODE_IO_FAULT="$op:$n:$kind" timeout 60 lode --solo life.rb >>acked 2>errors
        status=$?
    XX
        [ $status -lt 124 ] || [ $status -ge 128 ] || die "$fault, call $n: it hangs"
        case $status in 139 | 135 | 136 | 132) die "$fault, call $n: died by signal $((status - 128)): $(tail -n 3 errors)" ;; esac
        check "$fault, call $n"
        [ $status -ne 0 ] || [ -s errors ] && struck=$((struck + 1))
        if [ -n "${LODE_WORLD:-}" ]; then n=$((n + 1)); else n=$((n * 3 + 1)); fi
        [ $n -le 130 ] || [ -n "${LODE_WORLD:-}" ] || break
        [ -n "${LODE_WORLD:-}" ] && [ $status -eq 0 ] && [ ! -s errors ] && [ $n -gt 400 ] && break
    done
done
[ $struck -ge 5 ] || die "hardly any fault was met: $struck"
echo "$struck faults were met"
