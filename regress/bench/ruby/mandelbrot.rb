# Float kernel: points of the Mandelbrot set.
size = 330
inside = 0
y = 0
while y < size
  ci = 2.0 * y / size - 1.0
  x = 0
  while x < size
    cr = 2.0 * x / size - 1.5
    zr = zi = tr = ti = 0.0
    i = 0
    while i < 50 && tr + ti <= 4.0
      zi = 2.0 * zr * zi + ci
      zr = tr - ti + cr
      tr = zr * zr
      ti = zi * zi
      i += 1
    end
    inside += 1 if i == 50
    x += 1
  end
  y += 1
end
raise "wrong: #{inside}" unless inside == 43278
