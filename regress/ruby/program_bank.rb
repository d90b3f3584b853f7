# Accounts, ledger and reports: modules, Comparable, Enumerable, Struct, exceptions with ensure and retry, formatting.
module Auditable
  def self.included(base)
    base.extend(ClassMethods)
    base.instance_variable_set(:@audited, [])
  end

  module ClassMethods
    def audited = @audited
    def audit(*names)
      names.each do |name|
        original = instance_method(name)
        @audited << name
        define_method(name) do |*args, **opts, &block|
          result = original.bind_call(self, *args, **opts, &block)
          trail << [name, args, opts].reject { |x| x.respond_to?(:empty?) && x.empty? }
          result
        end
      end
    end
    def inherited(sub)
      super
      sub.instance_variable_set(:@audited, @audited.dup)
    end
  end

  def trail = @trail ||= []
end

class InsufficientFunds < StandardError
  def initialize(account, amount)
    @missing = amount - account.balance
    super("#{account.owner} lacks #{format('%.2f', @missing)}")
  end
  attr_reader :missing
end

class Account
  include Comparable
  include Auditable
  attr_reader :owner, :balance
  protected :balance= rescue nil

  def initialize(owner, balance = 0)
    @owner, @balance = owner, balance
  end

  def deposit(amount, note: nil)
    raise ArgumentError, "amount must be positive, not #{amount}" unless amount.positive?
    @balance += amount
    self
  end

  def withdraw(amount)
    raise InsufficientFunds.new(self, amount) if amount > @balance
    @balance -= amount
    self
  end
  audit :deposit, :withdraw

  def <=>(other) = balance <=> other.balance
  def to_s = "#{self.class.name.ljust(8)} #{owner.center(7, '.')} #{'%10.2f' % balance}"
  def ==(other) = other.is_a?(Account) && owner == other.owner
  alias eql? ==
  def hash = owner.hash
end

class Savings < Account
  RATE = 0.05
  def add_interest = deposit((balance * self.class::RATE).round(2), note: "interest")
  def withdraw(amount)
    super
  rescue InsufficientFunds => e
    raise ArgumentError, "savings: #{e.message}"
  ensure
    (@attempts ||= []).push(amount)
  end
  attr_reader :attempts
end

class Golden < Savings
  RATE = 0.10
end

class Bank
  include Enumerable
  def initialize(*accounts) = @accounts = accounts
  def each(&) = @accounts.each(&)
  def [](owner) = find { |a| a.owner == owner } or raise KeyError.new("no account of #{owner}", receiver: self, key: owner)

  def transfer(from, to, amount, tries: 1)
    attempts = 0
    begin
      attempts += 1
      self[from].withdraw(amount)
      self[to].deposit(amount)
      :done
    rescue InsufficientFunds => e
      if attempts <= tries
        self[from].deposit(e.missing)
        retry
      end
      raise
    else
      :unreachable
    ensure
      (@log ||= []) << [from, to, amount, attempts]
    end
  end
  attr_reader :log
end

bank = Bank.new(Account.new("ann", 100), Savings.new("bob", 50.5), Golden.new("cleo", 1000), Account.new("dan"))
puts bank.to_a
p bank.transfer("ann", "bob", 30)
p bank.transfer("ann", "dan", 100)
begin
  bank.transfer("dan", "ann", 500, tries: 0)
rescue InsufficientFunds => e
  puts "#{e.class}: #{e.message} #{e.missing}"
end
begin
  bank.transfer("bob", "ann", 5000)
rescue => e
  puts "#{e.class}: #{e.message}; cause #{e.cause.class}: #{e.cause.message}"
end
begin
  bank["eve"]
rescue KeyError => e
  puts e.message, e.key, e.receiver.equal?(bank)
end
begin
  bank["ann"].deposit(-5)
rescue ArgumentError => e
  puts e.message
end
bank.grep(Savings).each(&:add_interest)
puts bank.sort.reverse.map(&:to_s)
puts bank.min.owner, bank.max.owner, bank.minmax.map(&:owner).inspect, bank.sum(&:balance)
p bank.log
p bank["ann"].trail, bank["bob"].trail, bank["bob"].attempts
p Account.audited, Golden.audited
p bank.partition { |a| a.balance > 100 }.map { |l| l.map(&:owner) }
p bank.group_by(&:class).transform_values { |l| l.map(&:owner) }
p bank.each_with_object({}) { |a, h| h[a.owner] = a.balance.round }
p bank.each_slice(3).map(&:size), bank.each_cons(2).map { |a, b| a <=> b }
p bank.include?(Account.new("ann")), bank.first.clamp(bank.min, bank.max).owner
p bank.reduce(0) { |s, a| s + a.balance }.floor(1), bank.map { |a| a.class.superclass }.tally
p bank.zip(1..4).to_h { |a, n| [n, a.owner] }, bank.each_entry.with_index(1).map { |a, i| "#{i}#{a.owner}" }
p bank.lazy.select { |a| a.balance > 0 }.map(&:owner).first(2), bank.sort_by { |a| [-a.balance, a.owner] }.map(&:owner)
p Savings.instance_method(:withdraw).owner, Golden.new("x").method(:deposit).owner, Golden.ancestors.take(5)
