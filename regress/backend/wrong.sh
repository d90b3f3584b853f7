# Wrong options, commands, paths, directories: one clear line each, and not exit status 0.
. "$LODE_TOP/regress/backend/lib.bash"

has "$(one_line "$LODE" -Z)" "lode: invalid option -Z  (-h will show valid options) (RuntimeError)" "-Z"
has "$(one_line "$LODE" --nonsense)" "invalid option --nonsense" "--nonsense"
has "$(one_line "$LODE" -e)" "no code specified for -e" "-e alone"
has "$(one_line "$LODE" --store)" "missing argument" "--store alone"
has "$(one_line "$LODE" nothere.rb)" "No such file or directory -- nothere.rb (LoadError)" "no such program"
has "$(one_line "$LODE" -C /nothere -e 1)" "chdir" "-C nowhere"
has "$(one_line "$LODECTL" -D "$LODE_STORE" dance)" "unknown command dance" "unknown command"
has "$(one_line "$LODECTL" -D "$LODE_STORE")" "a command is missing" "no command"
has "$(one_line "$LODECTL" --wrong status)" "unknown option --wrong" "unknown option"
has "$(one_line "$LODECTL" -D)" "missing value for -D" "-D alone"
has "$(one_line "$LODESTONE" --wrong)" "unknown option or argument --wrong" "lodestone's unknown option"
gives 64 "$LODECTL" dance 2>/dev/null
for program in "$LODE" "$LODECTL" "$LODESTONE"; do
    gives 0 "$program" --help >help
    has "$(cat help)" "Usage: " "--help of $program"
    has "$("$program" --version)" "lodestone " "--version of $program"
done
for command in init start stop restart reload status verify; do
    has "$("$LODECTL" $command --help)" "Usage: lodectl [-D DIR] $command" "$command --help"
done

"$LODECTL" -D "$LODE_STORE" stop >/dev/null || fail stop
chmod 0777 "$LODE_STORE"
has "$(one_line "$LODE" -e 1)" "permissions 0777" "lode on an open directory"
has "$(one_line "$LODE" --solo -e 1)" "permissions 0777" "lode --solo on an open directory"
has "$(one_line "$LODECTL" -D "$LODE_STORE" start)" "permissions 0777" "start on an open directory"
"$LODESTONE" -D "$LODE_STORE" 2>/dev/null && fail "lodestone on an open directory"
chmod 0700 "$LODE_STORE"

# a store of another version: both slots of the control file say 99
cp "$LODE_STORE/control" control.kept
for at in 4 4100; do printf '\143\000\000\000' | dd of="$LODE_STORE/control" bs=1 seek=$at conv=notrunc status=none; done
has "$(one_line "$LODE" -e 1)" "format version 99" "lode on another version's store"
has "$(one_line "$LODE" --solo -e 1)" "format version 99" "lode --solo on another version's store"
has "$(one_line "$LODECTL" -D "$LODE_STORE" start)" "format version 99" "start on another version's store"
has "$(one_line "$LODECTL" -D "$LODE_STORE" verify)" "format version 99" "verify on another version's store"
has "$(one_line "$LODESTONE" -D "$LODE_STORE")" "format version 99" "lodestone on another version's store"
cp control.kept "$LODE_STORE/control"

echo x >file
has "$(one_line "$LODECTL" -D "$PWD/file" start)" "no directory" "a file as store"
has "$(one_line "$LODE" --store "$PWD/file/x" -e 1)" "$PWD/file" "a store below a file"
mkdir -m 700 full && echo x >full/else
one_line "$LODECTL" -D "$PWD/full" init >/dev/null
one_line "$LODE" --store "$PWD/full" -e 1 >/dev/null
echo "no_such_variable = 1" >>"$LODE_STORE/lodestone.conf"
has "$(one_line "$LODECTL" -D "$LODE_STORE" start)" "no_such_variable" "a wrong configuration"
sed -i '$d' "$LODE_STORE/lodestone.conf"
has "$(one_line "$LODECTL" -D "$LODE_STORE" start -c page_cache_size=little)" "page_cache_size" "a wrong setting"
gives 0 "$LODE" -e 1
exit 0
