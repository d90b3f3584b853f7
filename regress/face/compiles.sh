# compiles.sh: every .rb file of the Ruby libraries and gems that are installed compiles, or CRuby refuses it, too.
. "$LODE_TOP/regress/lib.sh"
find /usr/lib/ruby /usr/share/rubygems-integration /usr/lib/*/rubygems-integration /var/lib/gems -name '*.rb' -type f \
    2>/dev/null >files
[ -s files ] || skip "no Ruby library is installed"
"$LODE_BUILD/regress/tools/compile" <files >out || die "status $? after: $(tail -n 1 out)"
contains "all files are compiled" "$(wc -l <files) files, " "$(tail -n 1 out)"
grep -a '^refused ' out | while IFS= read -r line; do
    file=${line#refused }
    file=${file%%: *}
    ruby -c "$file" >/dev/null 2>&1 && echo "$line"
done >accepted
same "what CRuby accepts and we refuse" "" "$(cat accepted)"

# What is refused is found.
printf 'def m\n' >bad.rb
contains "a wrong file is refused" "refused bad.rb: " "$("$LODE_BUILD/regress/tools/compile" bad.rb)"
