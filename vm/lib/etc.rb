# Etc: the system's users, groups and facts (vm/core/etc.c).
module Etc
  Passwd = Struct.new(:name, :passwd, :uid, :gid, :gecos, :dir, :shell)
  Group = Struct.new(:name, :passwd, :gid, :mem)
  Process.__load_etc(self)

  class << self
    private def row(struct, fields, what)
      raise ArgumentError, "can't find #{what}" unless fields
      struct.new(*fields)
    end

    def getpwnam(name) = row(Passwd, __user(name.to_str), "user for #{name}")
    def getpwuid(uid = Process.uid) = row(Passwd, __user(uid), "user for #{uid}")
    def getgrnam(name) = row(Group, __group(name.to_str), "group for #{name}")
    def getgrgid(gid = Process.gid) = row(Group, __group(gid), "group for #{gid}")
    def getlogin = ENV["USER"] || __user(Process.uid)&.first
    def sysconfdir = "/etc"
    def systmpdir = "/tmp"

    def passwd(&block) = walk(Passwd, __users, &block)
    def group(&block) = walk(Group, __groups, &block)

    private def walk(struct, rows)
      return rows.first && struct.new(*rows.first) unless block_given?
      rows.each { |fields| yield struct.new(*fields) }
      nil
    end
  end

  class Passwd
    extend Enumerable
    def self.each(&block)
      return to_enum unless block
      Etc.passwd(&block)
      self
    end
  end

  class Group
    extend Enumerable
    def self.each(&block)
      return to_enum unless block
      Etc.group(&block)
      self
    end
  end
end
