# pp is part of core.
