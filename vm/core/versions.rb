# Class versions and migration, become, variables and constants of the session.

module Maglev
  # Writes all committed instances of `old` as what they have become: in steps of `chunk`, each a transaction of its own that
  # is repeated on a conflict.  The block, if any, gets each instance first.  `progress` is called after each step with how
  # many are done and how many there are.  Who is stopped in the middle calls it again: what is written is not
  # done twice.  Returns how many there were.
  def self.migrate_instances(old, chunk: 1000, progress: nil)
    raise MaglevException, "uncommitted changes would be committed with the migration: commit or abort first" if needs_commit
    oids = __instances(old, false)
    oids.each_slice(chunk).with_index do |slice, step|
      transaction do
        slice.each do |oid|
          object = __instance(oid) or next
          yield object if block_given?
          __touch(object)
        end
      end
      progress&.call(step * chunk + slice.size, oids.size)
    end
    oids.size
  end

  # A String, Array or Hash becomes as another: content, instance variables, default.
  def self.__take_after(object, other)
    (object.instance_variables - other.instance_variables).each { |name| object.remove_instance_variable(name) }
    other.instance_variables.each { |name| object.instance_variable_set(name, other.instance_variable_get(name)) }
    object.replace(other)
    return unless Hash === object
    other.default_proc ? object.default_proc = other.default_proc : object.default = other.default
  end
end

class Module
  # Accessors of instance variables that are this session's alone, however they are reached: no commit or Marshal.dump writes
  # them, no other session sees them, abort leaves them.  They last as long as the session has the object in memory.  An
  # object that was saved with such a variable keeps it until it is removed.  A name with @ gets no accessors.
  def attr_transient(*names)
    names.flat_map do |name|
      variable = name.start_with?("@")
      Maglev.__transient(self, variable ? name.to_sym : :"@#{name}")
      variable ? [] : attr_accessor(name)
    end
  end

  # A constant with a value of its own in each session: the block's, called at the first use.
  def transient_const_set(name, &block)
    raise ArgumentError, "no block given" unless block
    raise NameError.new("wrong constant name #{name}", name.to_sym, receiver: self) unless name.match?(/\A\p{Lu}[\p{Alnum}_]*\z/)
    Maglev.__const_lazy(self, name.to_sym, block)
    self
  end
end

class Class
  # Another version of the class: its constant is removed, the block defines the class anew (under the name, or
  # `new_name`), and all instances of this one are instances of that, in every session once this is committed: each
  # when it is next read.  With commit: true it is committed at once and they are also written anew, in steps.
  # Subclasses stay subclasses of this version.  Returns the new class.
  def maglev_redefine(commit: false, new_name: nil)
    raise ArgumentError, "no block given" unless block_given?
    raise ArgumentError, "an anonymous class can't be redefined" unless name
    if commit && Maglev.needs_commit
      raise Maglev::MaglevException, "uncommitted changes would be committed with the new class: commit or abort first"
    end
    outer, constant = __place
    new_class = nil
    Maglev.persistent do
      outer.__send__(:remove_const, constant)
      begin
        yield
        wanted = (new_name || constant).to_sym
        new_class = outer.const_get(wanted, false) if outer.const_defined?(wanted, false)
        raise ArgumentError, "the block made no class #{wanted}" unless Class === new_class && new_class != self
        Maglev.__supersede(self, new_class)
      rescue Exception
        outer.__send__(:remove_const, constant) if outer.const_defined?(constant, false)
        outer.const_set(constant, self)
        raise
      end
    end
    if commit
      Maglev.commit_transaction
      Maglev.migrate_instances(self)
    end
    new_class
  end

  # All versions of the class, the oldest first.
  def class_history
    first = self
    while (before = Maglev.__predecessor(first))
      first = before
    end
    history = [first]
    while (after = Maglev.__successor(history.last))
      history << after
    end
    history
  end

  private def __place
    path = name.split("::")
    constant = path.pop.to_sym
    [path.empty? ? Object : Object.const_get(path.join("::")), constant]
  end
end

module Kernel
  # The two objects swap what they are: whoever refers to one has the other's class and content from now on; object_id and
  # identity stay with the references.  Both must be plain objects, or structs, exceptions, strings, arrays, hashes.
  def become(other)
    return self if equal?(other)
    [String, Array, Hash].each do |type|
      next unless type === self || type === other
      unless type === self && type === other
        raise ArgumentError, "#{self.class} and #{other.class} are laid out differently: they can't become each other"
      end
      raise FrozenError.new("can't modify frozen #{self.class}", receiver: self) if frozen?
      raise FrozenError.new("can't modify frozen #{other.class}", receiver: other) if other.frozen?
      mine = dup
      Maglev.__take_after(self, other)
      Maglev.__take_after(other, mine)
      Maglev.__swap_classes(self, other)
      return self
    end
    Maglev.__swap(self, other)
    self
  end
end
