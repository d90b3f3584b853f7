# MagLev's way to Smalltalk, which is not here.
raise NotImplementedError, "maglev/smalltalk_bridge: there is no Smalltalk"
