# load.bash: a load of sessions that commit numbered boxes and write down what was acknowledged, and the check after it.
# A box is four objects that change together, with a shared counter ahead of them; a crash may lose none that was acknowledged, and part of none.

load_init() { # sessions
    workers=$1
    lodectl -D "$LODE_STORE" init >/dev/null || die "init"
    cat >>"$LODE_STORE/lodestone.conf" <<'CONF'
page_cache_size = 1MB
checkpoint_timeout = 50ms
checkpoint_wal_size = 1MB
wal_segment_size = 1MB
compactor = on
compactor_threshold = 5
compactor_cost_limit = 5000
collect_timeout = 2s
CONF
    cat >setup.rb <<RUBY
Maglev[:boxes] = Array.new($workers) { [0, [0], {n: 0}, +""] }
Maglev.commit
RUBY
    cat >work.rb <<'RUBY'
$stdout.sync = true
id, last = ARGV.map(&:to_i)
box = Maglev[:boxes][id]
names = ("a".."z").to_a
collects = ENV["LOAD_COLLECTS"] # nothing is cleaned during a collection
deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + last
while Process.clock_gettime(Process::CLOCK_MONOTONIC) < deadline
  n = box[0] + 1
  box[0] = n
  box[1][0] = n
  box[2][:n] = n
  box[2][:"key_#{id}_#{n % 50}"] = names.sample * (n % 7 * 300)
  box[2][:"key_#{id}_#{n}"] = n if n % 3 == 0 # a name that the store has not seen
  box[2].delete(:"key_#{id}_#{n - 300}")
  box[2][:fresh] = Array.new(100) { [n] } # a run of oids every few commits
  box[3].replace("text #{n} ".ljust(n % 40 * 100, "."))
  Maglev::System.set_pcounter(id + 1, n)
  Maglev.commit
  puts n
  (Maglev.collect_garbage rescue $stderr.puts($!.message)) if collects && id == 0 && n % 20 == 0 # what was fresh once
end
RUBY
    cat >check.rb <<'RUBY'
Maglev[:boxes].each_with_index do |b, id|
  numbers = [b[0], b[1][0], b[2][:n], b[3].empty? ? b[0] : b[3][/\Atext (\d+) /, 1].to_i]
  counter = Maglev::System.pcounter(id + 1) # set before each commit
  numbers << "counter #{counter}" unless (b[0]..b[0] + 1).cover?(counter)
  puts "#{numbers.uniq.size == 1 ? b[0] : "torn:#{numbers.join("/")}"}"
end
RUBY
    lode setup.rb || die "set-up"
    for ((w = 0; w < workers; w++)); do echo 0 >"acked.$w"; done
}

load_start() { # seconds
    load_pids= load_from=$(cat acked.* | wc -l)
    for ((w = 0; w < workers; w++)); do
        lode work.rb $w "$1" >>"acked.$w" 2>"error.$w" &
        load_pids="$load_pids $!"
    done
}

# load_commits N: until so many are acknowledged, whatever the machine's speed, or the load has ended
load_commits() {
    local p lives=1
    while [ "$(cat acked.* | wc -l)" -lt $((load_from + $1)) ] && [ -n "$lives" ]; do
        sleep 0.05
        lives=
        for p in $load_pids; do kill -0 "$p" 2>/dev/null && lives=1; done
    done
}

load_wait() {
    local p
    for p in $load_pids; do wait "$p" 2>/dev/null; done
}

load_check() { # what happened
    local stored acked w=0
    lode check.rb >stored 2>check.err || die "$1: the store can't be read: $(tail -n 5 check.err) $(tail -n 5 "$LODE_STORE/log/lodestone.log")"
    [ "$(wc -l <stored)" -eq "$workers" ] || die "$1: boxes are missing: $(cat stored)"
    while read -r stored; do
        acked=$(tail -n 1 "acked.$w")
        case $stored in torn*) die "$1: box $w is $stored" ;; esac
        [ "$stored" -ge "$acked" ] || die "$1: box $w lost commits: $acked acknowledged, $stored stored"
        [ "$stored" -le $((acked + 1)) ] || die "$1: box $w has $stored, only $acked were acknowledged"
        echo "$stored" >>"acked.$w"
        w=$((w + 1))
    done <stored
}
