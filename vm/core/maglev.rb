# Maglev (also Lodestone): what is easiest said in Ruby.

module Maglev
  # The session, under the names that MagLev gave its parts.
  module System
    @session_temps = {}
    @session_stats = Array.new(48, 0)

    CACHE_FIGURES = %i[frames frames_dirty page_reads page_writes evictions].freeze
    SESSION_FIGURES = %i[snapshot session_commits session_conflicts view_age_us pinned_bytes locks].freeze
    private_constant :CACHE_FIGURES, :SESSION_FIGURES

    class << self
      def session_id = Maglev.session_id
      def session_count = Maglev.session_count
      def getpid = Process.pid
      def getppid = Process.ppid
      def getuid = Process.uid
      def geteuid = Process.euid
      def getgid = Process.gid
      def getegid = Process.egid
      def getpgrp = Process.getpgrp
      def session_temp(key) = @session_temps[key]
      def session_temp_put(key, value) = @session_temps[key] = value

      # A commit that would save this object for the first time raises TransactionError with the path to it; nil: no object.
      def trap_add_to_closure_list(object) = Maglev.__trap(object)

      # The session's heap: bytes in use, its limit, and the share in percent.
      def temp_obj_space_used = Maglev.__heap[0]
      def temp_obj_space_max = Maglev.__heap[1]
      def temp_obj_space_percent_used = Maglev.__heap.then { |used, max| used * 100 / max }

      # The store's directory, or the last part of its name.
      def stone_name(full = false) = full ? Maglev.__store_directory : File.basename(Maglev.__store_directory)

      # Who works with the store, a line for each session.
      def session_names
        require "etc"
        user = Etc.getpwuid&.name || Process.uid
        Maglev.__sessions.map { |id, pid,| "session number: #{id}    UserId: #{user}    pid: #{pid}\n" }.join
      end

      # The figures that `lodectl status` prints, by name.
      def store_statistics = Maglev.__store_statistics

      # Those figures as rows of equal length: slot 0 the page cache, 1 the store, from 2 on the sessions.  What a slot does
      # not count is nil.
      def _cache_statistics_description = ["Name", "ProcessId", *store_statistics.keys, *SESSION_FIGURES].map(&:to_s)

      def _cache_statistics(slot)
        figures = store_statistics
        return ["ShrPcMonitor", nil, *__chosen(figures, true), *SESSION_FIGURES.map { nil }] if slot == 0
        return ["Stone", nil, *__chosen(figures, false), *SESSION_FIGURES.map { nil }] if slot == 1
        id, pid, *row = Maglev.__sessions.find { |session| session[0] == slot - 1 }
        raise ArgumentError, "there is no process in slot #{slot} of the cache" unless id
        ["Gem#{id}", pid, *figures.map { nil }, *row]
      end

      def my_cache_slot = Maglev.session_id + 1
      def my_cache_statistics = _cache_statistics(my_cache_slot)

      def gs_lib_name(name)
        raise NotImplementedError, "Maglev::System.gs_lib_name: there are no GemStone libraries"
      end

      # 48 numbers of the session's own, 0 to 47.
      def get_session_stat(i) = @session_stats[__stat_number(i)]
      def set_session_stat(i, value) = @session_stats[__stat_number(i)] = value
      def increment_session_stat(i, by = 1) = @session_stats[__stat_number(i)] += by
      def decrement_session_stat(i, by = 1) = increment_session_stat(i, -by)

      private

      def __chosen(figures, of_cache) = figures.map { |name, value| value if CACHE_FIGURES.include?(name) == of_cache }

      def __stat_number(i)
        return i if (0..47).cover?(i)
        raise RuntimeError, "there is no session statistic #{i}: they are 0 to 47"
      end
    end
  end

  # What MagLev's own libraries used.
  module RubyUtils
    # The class or module of that name, "::A::B" or "A::B".
    def self.rb_path2class(path)
      found = path.delete_prefix("::").split("::").inject(Object) { |outer, name| outer.const_get(name, outer.equal?(Object)) }
      Module === found ? found : raise(TypeError, "#{path} does not refer to class/module")
    end

    def self.rb_string_value(object) = object.nil? ? "" : Type.coerce_to(object, String, :to_str)
  end

  module Type
    # The object as one of that class, by that method when it is none: TypeError when there is no such method or it gives another.
    def self.coerce_to(object, cls, method)
      return object if cls === object
      raise TypeError, "Coercion error: #{object.inspect}.#{method} => #{cls} failed" unless object.respond_to?(method, true)
      result = object.__send__(method)
      cls === result ? result : raise(TypeError, "Coercion error: obj.#{method} did NOT return a #{cls} (was #{result.class})")
    end

    def self.coerce_to_or_nil(object, cls, method)
      coerce_to(object, cls, method)
    rescue TypeError
      nil
    end
  end
end

class Module
  # As include and extend, and the class keeps the names of the modules: where they are mixed in in transient mode, another
  # session has the class without them, until redo_include_and_extend there.
  def redo_include(*modules)
    @__reinclude = reinclude_store | modules.map(&:to_s)
    include(*modules)
  end

  def redo_extend(*modules)
    @__reextend = reextend_store | modules.map(&:to_s)
    extend(*modules)
  end

  def reinclude_store = @__reinclude || []
  def reextend_store = @__reextend || []

  # The names of what was included and extended.
  def redo_include_and_extend
    reinclude_store.each { |name| include Maglev::RubyUtils.rb_path2class(name) }
    reextend_store.each { |name| extend Maglev::RubyUtils.rb_path2class(name) }
    reinclude_store + reextend_store
  end
end

class Class
  # MagLev's declaration of instance variables that indexes may use.  Here they may use any: the names are checked, no more.
  def __fixed_instvars(*names)
    names.each { |name| raise NameError, "'#{name}' is not allowed as an instance variable name" unless name.match?(/\A@[[:alpha:]_]\w*\z/) }
    self
  end
end

class Exception
  # The block is given each exception that is raised from now on, and nothing that is raised while it runs; without a block, none.
  def self.install_debug_block(&block)
    @debug_trace&.disable
    running = false
    @debug_trace = block && TracePoint.new(:raise) do |trace|
      next if running
      running = true
      begin
        block.call(trace.raised_exception)
      ensure
        running = false
      end
    end
    @debug_trace&.enable
    nil
  end
end

module ObjectSpace
  # The named classes, and modules unless told otherwise, that are in memory.
  def self.loaded_classes(include_modules = true)
    each_object(include_modules ? Module : Class).select { |m| m.name && (Object.const_get(m.name).equal?(m) rescue false) }
  end
end

class TransactionError
  attr_reader :object, :path
end
