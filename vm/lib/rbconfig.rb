# RbConfig: where things are, and how this Ruby was built.  Programs look up names here; values are those of this binary.
module RbConfig
  bindir = File.dirname(File.readlink("/proc/self/exe"))
  prefix = File.dirname(bindir)
  major, minor, teeny = RUBY_VERSION.split(".")
  CONFIG = {
    "MAJOR" => major, "MINOR" => minor, "TEENY" => teeny, "PATCHLEVEL" => RUBY_PATCHLEVEL.to_s,
    "ruby_version" => "#{major}.#{minor}.0", "RUBY_API_VERSION" => "#{major}.#{minor}", "RUBY_PROGRAM_VERSION" => RUBY_VERSION,
    "ruby_install_name" => "lode", "RUBY_INSTALL_NAME" => "lode", "RUBY_BASE_NAME" => "lode", "RUBYW_INSTALL_NAME" => "",
    "RUBY_SO_NAME" => "lodestone", "bindir" => bindir, "prefix" => prefix, "exec_prefix" => prefix,
    "libdir" => "#{prefix}/lib", "sysconfdir" => "/etc", "localstatedir" => "/var", "mandir" => "#{prefix}/share/man",
    "datadir" => "#{prefix}/share", "rubylibprefix" => "#{prefix}/lib/ruby",
    "rubylibdir" => "#{prefix}/lib/ruby/#{major}.#{minor}.0", "rubyarchdir" => "#{prefix}/lib/ruby/#{major}.#{minor}.0/#{RUBY_PLATFORM}",
    "sitedir" => "#{prefix}/lib/ruby/site_ruby", "sitelibdir" => "#{prefix}/lib/ruby/site_ruby/#{major}.#{minor}.0",
    "vendordir" => "#{prefix}/lib/ruby/vendor_ruby", "vendorlibdir" => "#{prefix}/lib/ruby/vendor_ruby/#{major}.#{minor}.0",
    "host" => "x86_64-pc-linux-gnu", "build" => "x86_64-pc-linux-gnu", "target" => "x86_64-pc-linux-gnu",
    "host_os" => "linux-gnu", "build_os" => "linux-gnu", "target_os" => "linux-gnu",
    "host_cpu" => "x86_64", "build_cpu" => "x86_64", "target_cpu" => "x86_64", "arch" => RUBY_PLATFORM, "sitearch" => RUBY_PLATFORM,
    "EXEEXT" => "", "OBJEXT" => "o", "LIBEXT" => "a", "SOEXT" => "so", "DLEXT" => "so", "PATH_SEPARATOR" => ":", "SHELL" => "/bin/sh",
    "platform" => RUBY_PLATFORM, "configure_args" => "",
  }.transform_values { |text| +text } # programs may change them
  MAKEFILE_CONFIG = CONFIG.dup
  TOPDIR = prefix
  SIZEOF = { "int" => 4, "short" => 2, "long" => 8, "long long" => 8, "void*" => 8, "size_t" => 8, "float" => 4, "double" => 8 }.freeze
  LIMITS = { "FIXNUM_MAX" => 2**62 - 1, "FIXNUM_MIN" => -2**62, "INT_MAX" => 2**31 - 1, "INT_MIN" => -2**31,
             "LONG_MAX" => 2**63 - 1, "LONG_MIN" => -2**63 }.freeze

  def self.ruby = File.join(CONFIG["bindir"], CONFIG["ruby_install_name"])
  def self.expand(value, config = CONFIG) = value.gsub(/\$\((\w+)\)/) { config.fetch($1, $&) }
  def self.fire_update!(key, value) = CONFIG[key] = value
end
