# Time from texts: parse, iso8601, rfc2822, httpdate, strptime.
class Time
  MONTHS = { "jan" => 1, "feb" => 2, "mar" => 3, "apr" => 4, "may" => 5, "jun" => 6, "jul" => 7, "aug" => 8, "sep" => 9,
             "oct" => 10, "nov" => 11, "dec" => 12 }.freeze
  ZONES = { "utc" => 0, "gmt" => 0, "z" => 0, "ut" => 0, "est" => -5, "edt" => -4, "cst" => -6, "cdt" => -5, "mst" => -7,
            "mdt" => -6, "pst" => -8, "pdt" => -7, "jst" => 9, "cet" => 1, "cest" => 2, "bst" => 1 }.freeze
  private_constant :MONTHS, :ZONES
  RFC2822_DAY_NAME = %w[Sun Mon Tue Wed Thu Fri Sat].freeze
  RFC2822_MONTH_NAME = %w[Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec].freeze

  class << self
    def zone_offset(zone, year = nil)
      return nil if zone.nil?
      z = zone.downcase
      if (m = z.match(/\A([+-])(\d\d?):?(\d\d)?(?::?(\d\d))?\z/))
        return (m[1] == "-" ? -1 : 1) * (m[2].to_i * 3600 + m[3].to_i * 60 + m[4].to_i)
      end
      ZONES[z] && ZONES[z] * 3600
    end

    def __make(year, mon, day, hour, min, sec, frac, zone)
      sec = sec.to_i + (frac ? Rational(frac.to_i, 10**frac.size) : 0)
      return local(year, mon, day, hour, min, sec) if zone.nil?
      return utc(year, mon, day, hour, min, sec) if zone.match?(/\A(?:z|utc|-00:?00)\z/i)
      off = zone_offset(zone)
      off ? new(year, mon, day, hour, min, sec, off) : local(year, mon, day, hour, min, sec)
    end

    def parse(text, now = nil)
      raise TypeError, "no implicit conversion of #{text.nil? ? "nil" : text.class} into String" unless text.respond_to?(:to_str)
      s = text.to_str.strip
      year = mon = day = nil
      rest = s
      if (m = s.match(/(?<!\d)(-?\d{4,})-(\d\d?)-(\d\d?)/))
        year, mon, day = m[1].to_i, m[2].to_i, m[3].to_i
      elsif (m = s.match(%r{(?<!\d)(\d{4})/(\d\d?)/(\d\d?)}))
        year, mon, day = m[1].to_i, m[2].to_i, m[3].to_i
      elsif (m = s.match(/\A(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?/))
        year, mon, day = m[1].to_i, m[2].to_i, m[3].to_i
        return __make(year, mon, day, m[4].to_i, m[5].to_i, m[6].to_i, nil, m.post_match[/\A\s*(Z|[+-]\d\d:?\d\d)/, 1]) if m[4]
      elsif (m = s.match(/(\d\d?)(?:st|nd|rd|th)?[\s-]+([a-z]{3})[a-z]*\.?[\s,-]*(-?\d{2,})?(?!:)/i)) && MONTHS[m[2].downcase]
        day, mon = m[1].to_i, MONTHS[m[2].downcase]
        year = m[3]&.to_i
      elsif (m = s.match(/([a-z]{3})[a-z]*\.?\s+(\d\d?)(?:st|nd|rd|th)?(?!:|\d)(?:,?\s+(\d{4})(?!:))?/i)) && MONTHS[m[1].downcase]
        mon, day = MONTHS[m[1].downcase], m[2].to_i
        year = m[3]&.to_i
        year ||= s[/\d\d:\d\d(?::\d\d)?\s+(?:[A-Z]{3,4}\s+|[+-]\d{4}\s+)?(\d{4})\b/, 1]&.to_i
      else
        m = nil
      end
      rest = m.pre_match + " " + m.post_match if m
      t = rest.match(/(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*([ap]m)?\s*(Z\b|UTC|GMT|[A-Z]{3,4}\b|[+-]\d\d:?\d\d)?/i)
      raise ArgumentError, "no time information in #{text.inspect}" unless m || t
      if t
        hour, min, sec, frac, zone = t[1].to_i, t[2].to_i, t[3].to_i, t[4], t[6]
        hour = hour % 12 + (t[5].downcase == "pm" ? 12 : 0) if t[5]
      else
        hour = min = sec = 0
      end
      now ||= Time.now
      unless m
        year, mon, day = now.year, now.mon, now.day
      end
      year ||= now.year
      year += year < 69 ? 2000 : 1900 if year.between?(0, 99) && m && m[0].match?(/(?<!\d)\d\d\z/)
      raise ArgumentError, "argument out of range" if mon < 1 || mon > 12 || day < 1 || day > 31
      __make(year, mon, day, hour, min, sec, frac, zone)
    end

    def iso8601(text)
      m = text.match(/\A\s*([-+]?\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d(?::?\d\d)?)?\s*\z/i) ||
          text.match(/\A\s*([-+]?\d{4,})-(\d\d)-(\d\d)(?<zone>Z|[+-]\d\d(?::?\d\d)?)?\s*\z/i)
      raise ArgumentError, "invalid xmlschema format: #{text.inspect}" unless m
      if m.names.include?("zone")
        m2 = text.match(/\A\s*([-+]?\d{4,})-(\d\d)-(\d\d)(Z|[+-]\d\d(?::?\d\d)?)?/i)
        return __make(m2[1].to_i, m2[2].to_i, m2[3].to_i, 0, 0, 0, nil, m2[4])
      end
      __make(m[1].to_i, m[2].to_i, m[3].to_i, m[4].to_i, m[5].to_i, m[6].to_i, m[7], m[8])
    end
    alias xmlschema iso8601

    def rfc2822(text)
      m = text.match(/\A\s*(?:[a-z]{3}\s*,\s*)?(\d\d?)\s+([a-z]{3})\s+(\d{2,})\s+(\d\d)\s*:\s*(\d\d)(?:\s*:\s*(\d\d))?\s*([+-]\d{4}|[a-z]+)/i)
      raise ArgumentError, "not RFC 2822 compliant date: #{text.inspect}" unless m && MONTHS[m[2].downcase]
      __make(m[3].to_i, MONTHS[m[2].downcase], m[1].to_i, m[4].to_i, m[5].to_i, m[6].to_i, nil, m[7])
    end
    alias rfc822 rfc2822

    def httpdate(text)
      m = text.match(/\A\s*[a-z]{3,9},?\s+(\d\d)[\s-]([a-z]{3})[\s-](\d{2,4})\s+(\d\d):(\d\d):(\d\d)\s+GMT\s*\z/i)
      raise ArgumentError, "not RFC 2616 compliant date: #{text.inspect}" unless m
      utc(m[3].to_i, MONTHS[m[2].downcase], m[1].to_i, m[4].to_i, m[5].to_i, m[6].to_i)
    end

    def strptime(text, format, now = nil)
      names = []
      pattern = format.gsub(/%[-0^#]?([a-zA-Z%])|(\s+)|([^%\s]+)/) do
        next "\\s*" if $2
        next Regexp.escape($3) if $3
        names << $1 unless $1 == "%"
        case $1
        when "Y" then "([-+]?\\d+)"
        when "m", "d", "e", "H", "k", "I", "l", "M", "S", "y" then "\\s*(\\d\\d?)"
        when "j" then "(\\d{1,3})"
        when "b", "B", "h" then "([A-Za-z]+)"
        when "a", "A" then "([A-Za-z]+)"
        when "p", "P" then "([AaPp][Mm])"
        when "L", "N" then "(\\d+)"
        when "z", "Z" then "([+-]\\d\\d:?\\d\\d|[A-Za-z]+)"
        when "s" then "(-?\\d+)"
        when "F"
          names.pop
          names.push("Y", "m", "d")
          "(\\d+)-(\\d\\d?)-(\\d\\d?)"
        when "T"
          names.pop
          names.push("H", "M", "S")
          "(\\d\\d?):(\\d\\d?):(\\d\\d?)"
        when "%" then "%"
        else raise ArgumentError, "invalid date or strptime format - '#{text}' '#{format}'"
        end
      end
      m = text.match(/\A\s*#{pattern}/) or raise ArgumentError, "invalid date or strptime format - '#{text}' '#{format}'"
      h = names.zip(m.captures).to_h
      return at(h["s"].to_i) if h["s"]
      now ||= Time.now
      year = h["Y"]&.to_i || (h["y"] && (y = h["y"].to_i) + (y < 69 ? 2000 : 1900)) || now.year
      mon = h["m"]&.to_i || MONTHS[(h["b"] || h["B"] || h["h"])&.[](0, 3)&.downcase] || 1
      day = (h["d"] || h["e"] || 1).to_i
      hour = (h["H"] || h["k"] || h["I"] || h["l"] || 0).to_i
      half = h["p"] || h["P"]
      hour = hour % 12 + (half.downcase == "pm" ? 12 : 0) if half
      t = __make(year, mon, day, hour, h["M"].to_i, h["S"].to_i, h["L"] || h["N"], h["z"] || h["Z"])
      h["j"] ? t + (h["j"].to_i - 1) * 86400 : t
    end
  end

  def rfc2822
    strftime("%a, %d %b %Y %T ") + (utc? ? "-0000" : strftime("%z"))
  end
  alias rfc822 rfc2822

  def httpdate = getutc.strftime("%a, %d %b %Y %T GMT")
end
