# Float kernel: the planets' orbits.
class Body
  attr_accessor :x, :y, :z, :vx, :vy, :vz, :mass

  def initialize(x, y, z, vx, vy, vz, mass)
    @x, @y, @z = x, y, z
    @vx, @vy, @vz = vx * 365.24, vy * 365.24, vz * 365.24
    @mass = mass * 4 * 3.141592653589793**2
  end

  def pull(other, dt)
    dx = @x - other.x
    dy = @y - other.y
    dz = @z - other.z
    d2 = dx * dx + dy * dy + dz * dz
    mag = dt / (d2 * Math.sqrt(d2))
    m = other.mass * mag
    @vx -= dx * m
    @vy -= dy * m
    @vz -= dz * m
    m = @mass * mag
    other.vx += dx * m
    other.vy += dy * m
    other.vz += dz * m
  end

  def move(dt)
    @x += dt * @vx
    @y += dt * @vy
    @z += dt * @vz
  end
end

BODIES = [
  Body.new(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
  Body.new(4.84143144246472090, -1.16032004402742839, -0.103622044471123109,
           0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023, 0.000954791938424326609),
  Body.new(8.34336671824457987, 4.12479856412430479, -0.403523417114321381,
           -0.00276742510726411048, 0.00499852801234917238, 0.0000230417297573763929, 0.000285885980666130812),
  Body.new(12.8943695621391310, -15.1111514016986312, -0.223307578892655734,
           0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556, 0.0000436624404335156298),
  Body.new(15.3796971148509165, -25.9193146099879641, 0.179258772950371181,
           0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870, 0.0000515138902046611451)
].freeze

def energy
  e = 0.0
  BODIES.each_with_index do |b, i|
    e += 0.5 * b.mass * (b.vx * b.vx + b.vy * b.vy + b.vz * b.vz)
    BODIES[i + 1..].each do |o|
      dx = b.x - o.x
      dy = b.y - o.y
      dz = b.z - o.z
      e -= b.mass * o.mass / Math.sqrt(dx * dx + dy * dy + dz * dz)
    end
  end
  e
end

before = energy
50_000.times do
  BODIES.each_with_index do |b, i|
    j = i + 1
    while j < 5
      b.pull(BODIES[j], 0.01)
      j += 1
    end
  end
  BODIES.each { |b| b.move(0.01) }
end
raise "wrong: #{energy} from #{before}" unless (energy - before).abs < 0.001
