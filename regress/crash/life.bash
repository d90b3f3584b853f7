# life.bash: the life of a session, for loops in which something fails in each: its n-th write, an allocation, a fork.
# Whatever happened, what it acknowledged is there afterwards, nothing is there in part, and lodectl verify finds the store
# whole.
#
# A life commits twelve times, small changes, a vector, a bulk commit, and between them does what sessions do: starts
# programs, compiles, matches, sorts, nests transactions, aborts, collects.  A commit that fails is aborted, and the life goes on.

life_init() {
    lodectl -D "$LODE_STORE" init >/dev/null || die init
    cat >>"$LODE_STORE/lodestone.conf" <<'CONF'
page_cache_size = 1MB
checkpoint_wal_size = 1MB
wal_segment_size = 1MB
CONF
    cat >life.rb <<'RUBY'
$stdout.sync = true
def try
  yield
rescue StandardError, NoMemoryError, ScriptError => e
  $stderr.puts "#{e.class}: #{e.message}"
end
errands = [
  -> { system("true") or raise "no process" },
  -> { GC.start },
  -> { ("a".."zz").to_a.join(" ").gsub(/(b+)(?<c>[c-k])?/i) { |s| s.upcase }.scan(/[[:alpha:]]+/).tally.sort_by { |k, v| [-v, k] } },
  -> { (3**400 * 7**90).to_s(7).to_i(7).digits.sum },
  -> { eval("Class.new { attr_accessor :one; def initialize(**o) = @one = o; def call(*a, &b) = b[*a] }").new(n: 1).call(2) { |x| x } },
  -> { Maglev::System.begin_nested_transaction; box = Maglev[:box][1]; box << 1; Maglev::System.abort_transaction },
  -> { GC.compact },
  -> { Fiber.new { |x| Fiber.yield x; Thread.new { Thread.pass }.join }.tap { |f| f.resume(1); f.resume } },
  -> { File.write("note", "text\n" * 3000); File.foreach("note").sum(&:size); Dir.children("."); File.unlink("note") },
  -> { Marshal.load(Marshal.dump([{a: [1.5, "é", :s, nil, 2**70]}] * 50)); format("%-10s|%08.3f|%x", "a", 1.5, 255); [1, "a"].pack("Nm") },
  -> { Process.wait(fork { exit!(0) }) if ARGV == ["served"] }, # a session alone has no place for another
  -> { Maglev.abort; ObjectSpace.each_object(Class).count; Maglev[:box][2].sum { |k, v| v.to_s.size } },
]
box = Maglev[:box] || [0, [0], {n: 0}, []]
Maglev[:box] ||= box
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
      n = Maglev[:box] ? box[0] : exit(3)
    rescue StandardError, NoMemoryError
      exit 3
    end
  end
  try(&errands[i])
end
RUBY
    cat >look.rb <<'RUBY'
b = Maglev[:box] || [0, [0], {n: 0}, []]
last = b[3].last
same = [b[0], b[1][0], b[2][:n], last.is_a?(Array) ? last[1] : last || b[0]].uniq.size == 1
puts same ? b[0] : "torn: #{b[0]} #{b[1]} #{b[2][:n]} #{last}"
RUBY
    : >acked
    life_solo && same 'a life in which nothing fails' "$(seq 12)" "$(cat acked)"
    life_check 0 'a life in which nothing fails'
    [ ! -s errors ] || die "a life in which nothing fails: $(cat errors)"
}

# A life in this process, or in a server's session.  Its status, what it said in the file errors.
life_solo() { timeout 60 lode --solo life.rb >>acked 2>said; }
life_served() {
    local status
    timeout 60 lodectl -D "$LODE_STORE" start >/dev/null 2>said || return
    timeout 60 lode life.rb served >>acked 2>>said
    status=$?
    timeout 60 lodectl -D "$LODE_STORE" stop -m fast >/dev/null 2>>said || status=$?
    return $status
}

# life_check STATUS WHAT: after a life that ended with STATUS.
life_check() {
    local acked stored
    sanitized <said >errors
    case $1 in
    124) die "$2: it hangs" ;;
    132 | 135 | 136 | 139) die "$2: it died by signal $(($1 - 128)): $(tail -n 3 errors)" ;;
    esac
    [ -f "$LODE_STORE/lodestone.pid" ] && kill_everything
    lodectl -D "$LODE_STORE" verify >verified 2>&1 || die "$2: $(cat verified)"
    stored=$(lode --solo look.rb 2>look.err) || die "$2: $(cat look.err)"
    acked=$(tail -n 1 acked)
    case $stored in '' | *[!0-9]*) die "$2: $stored" ;; esac
    [ "$stored" -ge "$acked" ] || die "$2: $acked was acknowledged, $stored is stored"
    [ "$stored" -le $((acked + 1)) ] || die "$2: $stored is stored, only $acked was acknowledged"
    echo "$stored" >acked
}
