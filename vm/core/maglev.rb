# Maglev (also Lodestone): what is easiest said in Ruby.

module Maglev
  # The session, under the names that MagLev gave its parts.
  module System
    class << self
      def session_id = Maglev.session_id
      def session_count = Maglev.session_count
      def getpid = Process.pid
      def getppid = Process.ppid
      def getuid = Process.uid
      def geteuid = Process.euid
      def getgid = Process.gid
      def getegid = Process.egid
      def session_temp(key) = (@session_temps ||= {})[key]
      def session_temp_put(key, value) = (@session_temps ||= {})[key] = value
    end
  end
end

class TransactionError
  attr_reader :object, :path
end
