# Singleton: classes with one instance.
module Singleton
  def self.included(base)
    super
    base.private_class_method :new, :allocate
    base.extend(ClassMethods)
  end

  module ClassMethods
    def instance = @singleton__instance__ ||= new
    def inherited(sub)
      super
      sub.instance_variable_set(:@singleton__instance__, nil)
    end
    def _load(_) = instance
  end

  def clone = raise(TypeError, "can't clone instance of singleton #{self.class}")
  def dup = raise(TypeError, "can't dup instance of singleton #{self.class}")
  def _dump(_ = -1) = ""
end
