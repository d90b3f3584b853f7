# Wrong options, unknown commands, unreadable paths, foreign and open stores: one clear line each, non-zero exit.
. "$LODE_TOP/regress/lib.sh"
one_line_error lode --no-such-option
one_line_error lode -Z
one_line_error lode no_such_file.rb
contains 'the file is named' no_such_file.rb "$err"
one_line_error lode --store
one_line_error lode .
one_line_error lodectl
one_line_error lodectl no-such-command
contains 'the command is named' no-such-command "$err"
one_line_error lodectl -D
one_line_error lodectl -D "$LODE_TEST_DIR/absent" status
one_line_error lodectl -D "$LODE_TEST_DIR/absent" start
one_line_error lodectl -D "$LODE_TEST_DIR/absent" stop
one_line_error lodectl -D /proc/no/where init
one_line_error lodestone -D "$LODE_TEST_DIR/absent"
one_line_error lodestone --what
touch file
one_line_error lode --store "$PWD/file" -e 1
one_line_error lodectl -D "$PWD/file" init
mkdir other && touch other/thing
one_line_error lodectl -D "$PWD/other" init

lodectl -D "$LODE_STORE" init >/dev/null || die init
one_line_error lodectl -D "$LODE_STORE" init
one_line_error lodectl -D "$LODE_STORE" stop -m slowly
chmod 0777 "$LODE_STORE"
one_line_error lodectl -D "$LODE_STORE" start
one_line_error lode --solo -e 1
contains 'permissions are named' 'permission' "${err,,}"
chmod 0700 "$LODE_STORE"
echo 'no_such_variable = 1' >>"$LODE_STORE/lodestone.conf"
one_line_error lode --solo -e 1
contains 'the variable is named' no_such_variable "$err"
sed -i '$d' "$LODE_STORE/lodestone.conf"
prints 1 lode --solo -e 'p 1'
server_start
one_line_error lodestone -D "$LODE_STORE"
one_line_error lode --solo -e 1
for help in 'lode -h' 'lode --help' 'lodectl --help' 'lodectl start --help' 'lodectl stop --help' 'lodestone --help' 'lode --version' 'lodectl --version'; do
    exits 0 $help
    [ -n "$out" ] || die "$help prints nothing"
done
server_stop
