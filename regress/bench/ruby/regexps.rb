# Regular expressions: matching line by line, captures, named groups, alternation, anchors, case-insensitive.
lines = Array.new(300) do |i|
  %(10.0.#{i % 256}.#{i % 17} - - [#{i % 28 + 1}/Oct/2023:13:55:#{i % 60}] "GET /page/#{i}?q=#{i * 3} HTTP/1.1" #{i % 5 == 0 ? 404 : 200} #{i * 97})
end
log = /\A(\d+\.\d+\.\d+\.\d+) - - \[(?<ignored>[^\]]+)\] "(?:GET|POST) (\S+) HTTP\/[\d.]+" (\d{3}) (\d+)\z/
log = /\A(?<ip>\d+\.\d+\.\d+\.\d+) - - \[(?<time>[^\]]+)\] "(?:GET|POST) (?<path>\S+) HTTP\/[\d.]+" (?<code>\d{3}) (?<size>\d+)\z/
bytes = missing = 0
250.times do
  lines.each do |l|
    m = log.match(l) or raise "no match"
    bytes += m[:size].to_i
    missing += 1 if m["code"] == "404"
  end
end
queries = 0
350.times { lines.each { |l| queries += $1.to_i if l =~ /q=(\d+)/ } }
kinds = 0
350.times { lines.each { |l| kinds += 1 if l.match?(/oct.*(?:page|index)\/\d*7\b/i) } }
got = [bytes, missing, queries, kinds]
raise "wrong: #{got}" unless got == [1087612500, 15000, 47092500, 10500]
