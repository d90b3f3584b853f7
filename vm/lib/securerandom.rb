# SecureRandom: bytes of the kernel's, in many shapes.
module SecureRandom
  class << self
    def bytes(n = 16) = Random.urandom(n || 16)
    alias random_bytes bytes
    alias gen_random bytes
    def hex(n = 16) = bytes(n || 16).unpack1("H*")
    def base64(n = 16) = [bytes(n || 16)].pack("m0")
    def urlsafe_base64(n = 16, padding = false)
      s = base64(n).tr("+/", "-_")
      padding ? s : s.delete("=")
    end

    def uuid
      h = hex(16)
      h[12] = "4"
      h[16] = "89ab"[h[16].hex & 3]
      "#{h[0, 8]}-#{h[8, 4]}-#{h[12, 4]}-#{h[16, 4]}-#{h[20, 12]}"
    end

    def uuid_v7
      h = format("%012x", Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond)) + hex(10)
      h[12] = "7"
      h[16] = "89ab"[h[16].hex & 3]
      "#{h[0, 8]}-#{h[8, 4]}-#{h[12, 4]}-#{h[16, 4]}-#{h[20, 12]}"
    end

    def random_number(n = 0)
      case n
      when nil, 0, 0.0 then __unit
      when Float then n < 0 ? __unit : __unit * n
      when Range
        return n.begin + __unit * (n.end - n.begin) if n.begin.is_a?(Float) || n.end.is_a?(Float)
        n.begin + __below(n.end - n.begin + (n.exclude_end? ? 0 : 1))
      else n < 0 ? __unit : __below(n)
      end
    end
    alias rand random_number

    def __unit = (bytes(8).unpack1("Q") >> 11) * (1.0 / (1 << 53))

    def __below(n)
      size = (n.bit_length + 7) / 8 + 1
      limit = (1 << size * 8) / n * n
      x = bytes(size).unpack1("H*").hex
      x = bytes(size).unpack1("H*").hex until x < limit
      x % n
    end

    def alphanumeric(n = 16, chars: [*"A".."Z", *"a".."z", *"0".."9"])
      Array.new(n || 16) { chars[__below(chars.size)] }.join
    end

    def choose(chars, n) = Array.new(n) { chars[__below(chars.size)] }.join
    def seed = bytes(16).unpack1("H*").hex
  end
end
