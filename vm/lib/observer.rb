# Observable: objects that tell others of their changes.
module Observable
  def add_observer(observer, func = :update)
    raise NoMethodError, "observer does not respond to `#{func}'" unless observer.respond_to?(func)
    (@observer_peers ||= {})[observer] = func
  end
  def delete_observer(o) = @observer_peers&.delete(o)
  def delete_observers = @observer_peers&.clear
  def count_observers = @observer_peers ? @observer_peers.size : 0
  def changed(state = true)
    @observer_state = state
  end
  def changed? = !!@observer_state
  def notify_observers(*args)
    return unless @observer_state
    @observer_peers&.each { |o, f| o.__send__(f, *args) }
    @observer_state = false
  end
end
