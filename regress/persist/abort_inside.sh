# Maglev.abort inside the block of an iterator, while another session shrank, grew and reclassed the receiver: a right
# result or a Ruby error, never a crash.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e 'Maglev[:list] = (1..100).to_a; Maglev[:hash] = (1..100).to_h { |i| [i, i.to_s] }; Maglev[:text] = "word " * 100; Maglev.commit'
session_open a
session_open b
i=0
for change in 'Maglev[:list].slice!(3..); Maglev[:hash].reject! { |k, _| k > 3 }; Maglev[:text].replace("w")' \
    'Maglev[:list].concat((1..1000).to_a); (101..900).each { |k| Maglev[:hash][k] = "n" }; Maglev[:text] << "more " * 500' \
    'Maglev[:list].replace(["s"] * 50); Maglev[:hash].replace({a: 1}); Maglev[:text].replace("z" * 10)' \
    'Maglev[:list].replace((1..100).to_a); Maglev[:hash].replace((1..100).to_h { |k| [k, k.to_s] }); Maglev[:text].replace("word " * 100)'; do
    for body in 'Maglev[:list].each { |x| Maglev.abort if (n += 1) == 5 }' \
        'Maglev[:list].sort_by { |x| Maglev.abort if (n += 1) == 5; x.to_s }' \
        'Maglev[:list].map { |x| Maglev.abort if (n += 1) == 5; x }' \
        'Maglev[:list].inject { |s, x| Maglev.abort if (n += 1) == 3; s }' \
        'Maglev[:list].sort { |x, y| Maglev.abort if (n += 1) == 5; x.to_s <=> y.to_s }' \
        'Maglev[:list].reject! { |x| Maglev.abort if (n += 1) == 5; false }' \
        'Maglev[:hash].each_pair { |k, v| Maglev.abort if (n += 1) == 2 }' \
        'Maglev[:hash].select { |k, v| Maglev.abort if (n += 1) == 2; true }' \
        'Maglev[:hash].transform_values { |v| Maglev.abort if (n += 1) == 2; v }' \
        'Maglev[:text].gsub(/w/) { Maglev.abort if (n += 1) == 2; "v" }' \
        'Maglev[:text].each_char { |c| Maglev.abort if (n += 1) == 2 }'; do
        session b 'Maglev.abort' >/dev/null
        [[ $(session b "$change; Maglev.commit") == '=> true' ]] || die "could not change: $change"
        answer=$(session a "n = 0; begin; $body; :fine; rescue StandardError => e; e.class; end") || die "crashed in: $body ($change)"
        [[ $answer == '=> '* ]] || die "$body: $answer"
        said '=> true' a 'Maglev.abort; Maglev[:list].size > 0 && Maglev[:hash].size > 0 && Maglev[:text].size > 0'
    done
done
session_close a
session_close b
