# Time: making, parts, arithmetic, zones, rounding, text.
t = Time.utc(2024, 2, 29, 23, 59, 58.25)
p t, t.to_a, t.year, t.month, t.day, t.hour, t.min, t.sec, t.usec, t.nsec, t.subsec, t.wday, t.yday, t.zone, t.utc_offset, t.utc?, t.dst?
p t.thursday?, t.friday?, t.to_i, t.to_r
p t + 1, t + 0.75, t - 86400, t - Time.utc(2024), t + Rational(1, 4)
p t <=> t + 1, t == Time.utc(2024, 2, 29, 23, 59, 58, 250000), t.eql?(t.dup), t.hash == t.dup.hash, t < t + 1, t.between?(t, t)
p t.round, t.round(1), t.floor, t.ceil, t.floor(1), t.ceil(1)
p t.getlocal("+09:00"), t.getlocal("-05:30").to_s, t.localtime("+01:00"), t.utc
p Time.at(0).utc, Time.at(1, 500, :millisecond).utc, Time.at(1.5).utc, Time.at(0, in: "UTC"), Time.at(0, in: "+05:30"), Time.at(0, in: "A").zone
p Time.new(2000, 1, 1, 0, 0, 0, "+09:00"), Time.new(2000, 1, 1, in: "-03:00"), Time.new("2000-12-31 23:59:59.5 +0900"), Time.new("2000-12-31 23:59:59Z")
p Time.gm(2000, "jan", 1, 20, 15, 1), Time.utc(1969, 12, 31, 23, 59, 59), Time.utc(1, 1, 1), Time.utc(-1, 1, 1), Time.utc(10000, 1, 1)
p Time.utc(2000, 1, 31, 24), Time.utc(2001, 2, 29)
%w[%Y %C %y %m %B %b %^b %d %-d %e %j %H %k %I %l %P %p %#p %M %S %L %N %3N %6N %z %:z %::z %Z %A %a %^a %u %w %G %g %V %U %W %s %n %t %% %c %D %F %T %R %r %x %X %v %+ %10Y %-m %_m %05d %^B %#B %_10z %Q %E %h].each do |f|
  puts "#{f}: #{t.strftime(f)}"
end
puts Time.new(2024, 1, 1, 0, 0, 0, "-05:30").strftime("%z %:z %::z %:::z %_z %-z %10z")
[[2020, 12, 31], [2021, 1, 1], [2021, 1, 3], [2021, 1, 4], [2022, 1, 1], [2023, 12, 31], [2024, 12, 30]].each do |a|
  puts Time.utc(*a).strftime("%F %G-W%V-%u %U %W %j")
end
p t.iso8601, t.xmlschema(3), Time.new(2000, 1, 1, 0, 0, 0, "+09:00").iso8601(2)
p t.ctime, t.inspect, t.to_s, Time.at(0, 1, :nsec).utc.inspect
p t.deconstruct_keys([:year, :month]), (case t; in { year: 2024, day: } then day; end)
def e
  yield
rescue => x
  puts "#{x.class}: #{x.message}"
end
e { Time.utc(2000, 13) }
e { Time.utc(2000, 1, 32) }
e { Time.utc(2000, 1, 1, 25) }
e { Time.utc(2000, 1, 1, 0, 60) }
e { Time.at("x") }
e { Time.at(nil) }
e { t + t }
e { t + "x" }
e { Time.new(2000, 1, 1, 0, 0, 0, "x") }
e { Time.new(2000, 1, 1, 0, 0, 0, "+25:00") }
e { Time.new("2000-13-01 00:00:00") }
e { Time.new("2000-01-01 00:00") }
e { Time.new("2000-01-01") }
e { Time.new("x") }
e { Time.at(0, 1, :foo) }
e { t < 1 }
p t <=> 1, t == 1
p Time.now - Time.now < 1, Time.now.class, Time.now.utc_offset == Time.now.getlocal.utc_offset
class MyTime < Time; end
p MyTime.at(0).class, (MyTime.at(0) + 1).class, MyTime.now.class, MyTime.utc(2000).class
