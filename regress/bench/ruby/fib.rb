# Recursive calls: Fibonacci, Takeuchi, Ackermann.
def fib(n)
  n < 2 ? n : fib(n - 1) + fib(n - 2)
end

def tak(x, y, z)
  return z unless y < x
  tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))
end

def ack(m, n)
  if m == 0
    n + 1
  elsif n == 0
    ack(m - 1, 1)
  else
    ack(m - 1, ack(m, n - 1))
  end
end

got = [fib(32), tak(24, 16, 8), ack(2, 800)]
raise "wrong: #{got}" unless got == [2178309, 9, 1603]
