# Float kernel: the largest singular value of an infinite matrix, over arrays of floats.
def entry(i, j)
  1.0 / ((i + j) * (i + j + 1) / 2 + i + 1)
end

def multiply(v, transposed)
  n = v.size
  (0...n).map do |i|
    sum = 0.0
    v.each_with_index { |x, j| sum += (transposed ? entry(j, i) : entry(i, j)) * x }
    sum
  end
end

u = Array.new(200, 1.0)
v = nil
10.times do
  v = multiply(multiply(u, false), true)
  u = multiply(multiply(v, false), true)
end
vbv = vv = 0.0
u.zip(v) do |a, b|
  vbv += a * b
  vv += b * b
end
got = (Math.sqrt(vbv / vv) * 1e9).round
raise "wrong: #{got}" unless got == 1274223601
