# Maglev (also Lodestone): what is easiest said in Ruby.

module Maglev
  # The session, under the names that MagLev gave its parts.
  module System
    @session_temps = {}
    @session_stats = Array.new(48, 0)

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

      # 48 numbers of the session's own, 0 to 47.
      def get_session_stat(i) = @session_stats[__stat_number(i)]
      def set_session_stat(i, value) = @session_stats[__stat_number(i)] = value
      def increment_session_stat(i, by = 1) = @session_stats[__stat_number(i)] += by
      def decrement_session_stat(i, by = 1) = increment_session_stat(i, -by)

      private

      def __stat_number(i)
        return i if (0..47).cover?(i)
        raise RuntimeError, "there is no session statistic #{i}: they are 0 to 47"
      end
    end
  end
end

class TransactionError
  attr_reader :object, :path
end
