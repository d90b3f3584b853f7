# WeakRef: a delegator whose object the collector may take.
require "delegate"

class WeakRef < Delegator
  class RefError < StandardError; end

  # One map for all, as keys the references, as values what they stand for: both weak.
  @@refs = ObjectSpace::WeakMap.new

  def initialize(orig)
    case orig
    when true, false, nil then @delegate_sd_obj = orig
    else @@refs[self] = orig
    end
    super
  end

  def __getobj__(gone = RefError)
    @@refs.key?(self) ? @@refs[self] : defined?(@delegate_sd_obj) ? @delegate_sd_obj : ::Kernel.raise(gone, "Invalid Reference - probably recycled")
  end

  def __setobj__(obj); end

  def weakref_alive?
    @@refs.key?(self) || defined?(@delegate_sd_obj) ? true : false
  end
end
