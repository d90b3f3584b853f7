def m; begin; raise "a"; rescue; [1].each { return 5 }; end; end
p m, $!
catch(:x) { begin; raise "b"; rescue; throw :x; end }
p $!
begin
  begin; raise "c"; rescue => e; raise "d"; end
rescue => f
  p f.message, f.cause.message, $!.message
end
p $!
begin
  raise "e"
rescue
  begin
    raise "g"
  rescue
    p $!.message
  end
  p $!.message
  begin; Integer("x"); rescue ArgumentError; end
  p $!.message
  x = [1, 2].each { |q| break q }
  p $!.message
end
p $!
def n
  yield
rescue
  p $!.message
  begin
    yield
  ensure
    p $!.message
  end
end
begin
  n { raise "h" }
rescue => z
  p z.cause&.message
end
p $!
def r; n = 0; begin; n += 1; raise "i" if n < 3; p $!; rescue; retry; end; end
r
def fresh; raise "j"; rescue; yield; end
def k; fresh { return 1 }; end
k
begin; raise "k"; rescue => e; p e.cause; end
