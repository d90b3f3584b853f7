# include, prepend, extend: ancestry, super, hooks, what comes later.
def show(label)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts "#{label}: #{r}"
end
module A; def who = "A"; def up = ["A"] + (defined?(super) ? super : []); end
module B; include A; def who = "B>" + super; def up = ["B"] + super; end
module P; def who = "P>" + super; def up = ["P"] + super; end
class C; include B; prepend P; def who = "C>" + super; def up = ["C"] + super; end
class D < C; def who = "D>" + super; end
show("who") { [C.new.who, D.new.who, C.new.up] }
show("ancestors") { [C.ancestors.take(4), D.ancestors.take(5), B.ancestors, C.included_modules.take(3)] }
module Late; def late = :late; end
A.include Late
show("late include") { [C.new.late, C.ancestors.take(5)] }
module LateP; def who = "LateP>" + super; end
A.prepend LateP
show("late prepend") { [D.new.who, C.ancestors.take(6)] }
class D; include A; include B; end
show("again") { D.ancestors.take(4) }
show("cyclic") { A.include B }
show("cyclic self") { A.include A }
show("wrong") { C.include 1 }
show("wrong class") { C.include String }
show("no args") { C.include }
module H
  def self.included(b) = puts("included in #{b}")
  def self.extended(b) = puts("extended #{b.class}")
  def self.prepended(b) = puts("prepended to #{b}")
  def h = :h
end
class UseH; include H; end
class UseP; prepend H; end
Object.new.extend(H)
class Multi; include A, Late, H; end
show("order") { Multi.ancestors.take(5) }
module Custom; def self.append_features(b) = (puts "append #{b}"; super); def cu = 1; end
class UseC; include Custom; end
show("append_features") { UseC.new.cu }
class Sing; class << self; include A; def cm = who; end; end
show("singleton include") { [Sing.cm, Sing.singleton_class.include?(A)] }
o = Object.new
o.extend(A, Late)
show("extend order") { o.singleton_class.ancestors.take(4).drop(1) }
module Counter
  def self.included(base) = base.extend(ClassMethods)
  module ClassMethods; def count = @count ||= 0; def inc = @count = count + 1; end
end
class Cnt; include Counter; end
Cnt.inc; Cnt.inc
show("ClassMethods") { Cnt.count }
class Plain; def m = "plain"; end
module Wrap; def m = "[#{super}]"; end
pl = Plain.new
show("before prepend") { pl.m }
Plain.prepend Wrap
show("after prepend") { pl.m }
class Plain; def m = "changed"; end
show("redefined under prepend") { pl.m }
Plain.class_eval { remove_method :m }
show("removed under prepend") { pl.m }
class Sup; def initialize(*a, k: 1, &b) = @r = [a, k, b&.call]; attr_reader :r; end
class Sub < Sup; def initialize(*, **, &) = super; end
show("forwarding") { Sub.new(1, 2, k: 3) { 4 }.r }
class Alias1; def a = "one"; alias b a; end
class Alias2 < Alias1; def a = "two:" + super; def b = "b:" + super; end
show("alias super") { [Alias2.new.a, Alias2.new.b] }
class MM; def method_missing(n, *a) = n == :magic ? [:mm, a] : super; def respond_to_missing?(n, p = false) = n == :magic || super; end
show("method_missing") { [MM.new.magic(1), MM.new.respond_to?(:magic)] }
show("method_missing super") { MM.new.other }
class Cmp; include Comparable; attr_reader :n; def initialize(n) = @n = n; def <=>(o) = n <=> o.n; end
show("Comparable") { [Cmp.new(1) < Cmp.new(2), Cmp.new(2).between?(Cmp.new(1), Cmp.new(3)), Cmp.new(5).clamp(Cmp.new(1), Cmp.new(3)).n, Cmp.new(1) == Cmp.new(1)] }
module Konst; KON = :from_module; end
class UseK; include Konst; def k = KON; end
show("constant of module") { [UseK.new.k, UseK::KON, UseK.const_get(:KON)] }
class Integer; def double_it = self * 2; end
show("reopened") { 21.double_it }
class Integer; alias old_plus +; def +(o) = old_plus(o).old_plus(1); end
show("redefined +") { 1 + 1 }
class Integer; alias + old_plus; end
show("restored +") { 1 + 1 }
