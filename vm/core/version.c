/* version.c -- RUBY_VERSION and its kin: the language is Ruby 4.0, the engine Lodestone */
#include "vm/core.h"
#include "vm/options.h"

static void text(const char *name, const char *value)
{
    const_set(klass.Object, sym_intern(name), str_new_frozen(value, strlen(value), ENC_US_ASCII));
}

void version_boot(void)
{
    text("RUBY_VERSION", "4.0.0");
    text("RUBY_ENGINE", "lodestone");
    text("RUBY_ENGINE_VERSION", "0.1.0");
    text("RUBY_PLATFORM", "x86_64-linux");
    text("RUBY_RELEASE_DATE", "2025-12-25");
    text("RUBY_COPYRIGHT", "lodestone - Copyright (C) 2026 The Lodestone authors");
    text("RUBY_REVISION", "");
    text("RUBY_DESCRIPTION", "lodestone 0.1.0 (ruby 4.0.0) [x86_64-linux]");
    const_set(klass.Object, sym_intern("RUBY_PATCHLEVEL"), int_fix(0));
}
