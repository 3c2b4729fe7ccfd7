"""Programs of every day: shells, editors, texts, archives, versions, languages."""

from __future__ import annotations

from .programs import Program

SVN = "svnadmin create repo && svn mkdir -qm one file:///tmp/repo/a && svn ls file:///tmp/repo"
HG = "export HGUSER=a HOME=/tmp; hg init one && cd one && echo x > f && hg add f && hg ci -m first && hg log"
GIT_LFS = "git-lfs version; printf 'oid' | git-lfs pointer --file=/etc/passwd"
NVIM = "HOME=/tmp nvim --headless -u NONE -c 'lua print(6 * 7)' -c 'help' -c 'echo &ft' -c q! 2>&1"
EXPECT = (
    'expect -c \'spawn -noecho /bin/sh -c "read x; echo got \\$x"; send "a\\n"; expect got; puts [expr 6*7]\''
)
CSV = "printf 'a,b\\n1,2\\n3,4\\n' > t.csv;"
ENTR = "echo f > f; echo f | entr -nz /bin/sh -c 'echo changed'"
UNISON = "echo x > d/f; HOME=/tmp unison -batch -ui text d e 2>&1"
ERLANG = "HOME=/tmp erl -noshell -eval 'io:format(\"~p~n\", [lists:sum([40, 2])]), halt().'"
STOW = "echo x > d/f; stow -d /tmp -t e d; [ -L e/f ] && echo linked"
PATCHED = r"printf -- '--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n'"
BATS = r"""printf '@test "adds" { [ $((1 + 1)) = 2 ]; }\n' > a.bats; bats a.bats"""
TIG = "TERM=xterm tig --version"

ROWS = (
    Program("fish", "HOME=/tmp fish -c 'math 6 x 7; string upper a'", "42\nA"),
    Program("zsh", "zsh -c 'autoload -U colors && colors; zmodload zsh/mathfunc; print $((sqrt(49)))'", "7."),
    Program("tcsh", "tcsh -fc '@ x = 6 * 7; echo $x'", "42"),
    Program("mksh", "mksh -c 'echo $((6 * 7))'", "42"),
    Program("ksh", "ksh93 -c 'echo $((sqrt(49)))'", "7"),
    Program("fd", "echo > d/needle; fd needle", "d/needle"),
    Program("fzf", "printf 'one\\ntwo\\n' | fzf -f tw", "two"),
    Program("bat", "echo 'def f(): pass' > a.py; bat -p --color=always a.py", "\x1b["),
    Program("silver-searcher", "echo needle > hay; ag nee", "needle"),
    Program("ack", "echo needle > hay; ack -h nee hay", "needle"),
    Program("ugrep", "echo needle > hay; ugrep nee hay", "needle"),
    Program("hyperfine", "hyperfine -N -r 2 -w 0 'hyperfine --version' 2>&1", "Time (mean"),
    Program("lsd", "lsd --version; lsd", "lsd"),
    Program("zoxide", "zoxide init bash", "zoxide query"),
    Program("entr", ENTR, "changed"),
    Program("stow", STOW, "linked"),
    Program("mc", "HOME=/tmp TERM=xterm mc --version", "GNU Midnight Commander"),
    Program("ranger", "HOME=/tmp TERM=xterm ranger --version", "ranger version"),
    Program("nnn", "nnn -V", "4."),
    Program("vifm", "HOME=/tmp vifm --version", "Version: 0."),
    Program("joe", "TERM=xterm joe --help 2>&1", "joe"),
    Program("micro", "micro --version", "Version: "),
    Program("kakoune", "HOME=/tmp kak -version", "Kakoune"),
    Program("neovim", NVIM, "42"),
    Program("dtach", "dtach --version", "dtach - version"),
    Program("pv", "echo text | pv -q", "text"),
    Program("progress", "progress -v", "progress version"),
    Program("ncdu", "ncdu -v", "ncdu 1."),
    Program("moreutils", "echo text | sponge f; ifne -n echo no < /dev/null; isutf8 f && echo utf8", "utf8"),
    Program("toybox", "toybox seq 3; toybox uname", "1\n2\n3\nLinux"),
    Program("expect", EXPECT, "42"),
    Program("tcl", "echo 'puts [expr 6*7]; puts [clock format 0 -gmt 1]' | tclsh", "42\nThu Jan 01"),
    Program("rlwrap", "rlwrap --version", "rlwrap 0."),
    Program("dos2unix", "printf 'a\\r\\n' > f; dos2unix -q f; read -r x < f; echo ${#x}", "1"),
    Program("rename", "echo > a.txt; rename 's/txt/md/' a.txt; echo *", "a.md"),
    Program("fdupes", "echo x > a; echo x > b; fdupes -q .", "./a"),
    Program("trash-cli", "trash --version", "trash"),
    Program("plocate", "plocate --version", "plocate"),
    Program("hexyl", "echo A | hexyl --color never", "41 0a"),
    Program("hexedit", "TERM=xterm hexedit --help 2>&1", "hexedit"),
    Program("toilet", "toilet -f future x", "╋┛"),
    Program("fortune", "fortune -v", "fortune"),
    Program("cmatrix", "TERM=xterm cmatrix -V", "CMatrix"),
    Program("grc", "grc --version", "Generic Colouriser"),
    Program("ccze", "echo text | ccze -A", "text"),
    Program("recutils", "printf 'a: 1\\n\\na: 2\\n' | recsel -e 'a > 1'", "a: 2"),
    Program("visidata", "HOME=/tmp vd --version", "VisiData"),
    # Texts and data.
    Program("yq", "echo 'a: [1, 2]' | yq -c '.a | map(. + 1)'", "[2,3]"),
    Program("xmlstarlet", "echo '<a><b>6</b></a>' | xmlstarlet sel -t -v /a/b", "6"),
    Program("html-tidy", "echo '<p>x' | tidy -q 2> /dev/null", "</p>"),
    Program("csvkit", f"{CSV} csvcut -c b t.csv", "b\n2\n4"),
    Program("miller", f"{CSV} mlr --icsv --ojson head -n 1 t.csv", '"a": 1'),
    Program("gron", "echo '{\"a\": [6]}' | gron", "json.a[0] = 6;"),
    Program("jo", "jo a=6 b=x", '{"a":6,"b":"x"}'),
    Program("jc", "echo 'a=6' | jc --kv", '{"a":"6"}'),
    Program("datamash", "printf '40\\n2\\n' | datamash sum 1", "42"),
    Program("jsonnet", "jsonnet -e '{a: 6 * 7}'", '"a": 42'),
    Program("colordiff", "echo a > a; echo b > b; colordiff --version 2>&1", "colordiff"),
    Program("wdiff", "echo a b > a; echo a c > b; wdiff a b", "[-b-] {+c+}"),
    Program("diffstat", f"{PATCHED} | diffstat", "1 file changed"),
    Program("patchutils", f"{PATCHED} | lsdiff", "a"),
    Program(
        "yamllint", "printf -- '---\\na: 1\\n' > a.yaml; yamllint -f parsable a.yaml && echo fine", "fine"
    ),
    Program("universal-ctags", "echo 'int f() { return 1; }' > a.c; ctags -x a.c", "function"),
    Program("cloc", "printf 'int x;\\n' > a.c; cloc --quiet a.c", "C "),
    Program("shellcheck", "echo 'echo $x' > a.sh; shellcheck -s sh a.sh", "SC2086"),
    Program("shfmt", "echo 'if a;then b;fi' | shfmt", "if a; then b; fi"),
    Program("bats", BATS, "ok 1 adds"),
    Program("black", "echo 'x = {  1:2 }' | HOME=/tmp black -q -", "x = {1: 2}"),
    Program("mypy", "echo 'x: int = \"a\"' > a.py; mypy --cache-dir=/dev/null a.py", "Incompatible types"),
    Program("virtualenv", "HOME=/tmp virtualenv --version", "virtualenv 20"),
    Program("sassc", "echo 'a { b { c: d; } }' | sassc --style compressed", "a b{c:d}"),
    Program("hugo", "hugo version", "hugo v0."),
    Program("asciidoc", "asciidoc --version", "asciidoc"),
    Program("pandoc", "echo '*x*' | pandoc -t html", "<em>x</em>"),
    Program("groff", "echo 'text of groff' | groff -Tascii -P-c", "text of groff"),
    Program("man-db", "man --version", "man 2"),
    Program("graphviz", "echo 'digraph { a -> b }' | dot -Tsvg", "<svg"),
    Program("gnuplot", "gnuplot -e 'set term dumb; plot sin(x)' 2>&1", "-0.8 |"),
    # Archives and copies.
    Program("p7zip", "echo text > f; 7z a -bso0 a.7z f && 7z l a.7z", " f"),
    Program("_7zz", "echo text > f; 7zz a -bso0 a.7z f && 7zz x -so a.7z", "text"),
    Program("lz4", "echo text | lz4 | lz4 -d", "text"),
    Program("lzop", "echo text | lzop | lzop -d", "text"),
    Program("lzip", "echo text | lzip | lzip -d", "text"),
    Program("brotli", "echo text | brotli | brotli -d", "text"),
    Program("zopfli", "echo text > f; zopfli -c f > f.gz && echo made *.gz", "made f.gz"),
    Program("pixz", "echo text > f; pixz f && pixz -d < f.xz", "text"),
    Program("pbzip2", "echo text > f; pbzip2 -c f | pbzip2 -dc", "text"),
    Program("cpio", "echo text > f; echo f | cpio -o 2> /dev/null | cpio -t 2> /dev/null", "f"),
    Program("squashfsTools", "echo x > d/f; mksquashfs d a -quiet; unsquashfs -l a", "squashfs-root/f"),
    Program("squashfs-tools-ng", "echo x > d/f; gensquashfs -q -D d a && rdsquashfs -c f a", "x"),
    Program("xorriso", "echo > d/f; xorriso -as mkisofs -o a.iso d 2>&1", "completed successfully"),
    Program("cdrkit", "echo > d/f; genisoimage -quiet -o a.iso d && isoinfo -f -i a.iso", "/F"),
    Program("rpm", "rpm --version", "RPM version"),
    Program("dpkg", "dpkg --version; dpkg --print-architecture", "amd64"),
    Program("apt", "apt-get --version", "apt 2"),
    Program("xdelta3", "echo a > a; echo b > b; xdelta3 -es a b c && xdelta3 -dcs a c", "b"),
    Program("rclone", "HOME=/tmp; echo x > f; rclone copy --quiet f d && rclone ls d", "2 f"),
    Program("restic", "export RESTIC_PASSWORD=x; restic --no-cache init -q -r r && echo made", "made"),
    Program(
        "borgbackup", "export HOME=/tmp; borg init -e none r && borg create r::one /etc && borg list r", "one"
    ),
    Program("duplicity", "HOME=/tmp duplicity --version", "duplicity"),
    Program("unison", UNISON, "Synchronization complete"),
    # Versions.
    Program("gh", "HOME=/tmp gh --version", "gh version 2"),
    Program("git-lfs", GIT_LFS, "git-lfs/3"),
    Program("git-crypt", "git-crypt --version", "git-crypt 0"),
    Program("git-absorb", "git-absorb --version", "git-absorb"),
    Program("tig", TIG, "tig version"),
    Program("mercurial", HG, "first"),
    Program("subversion", SVN, "a/"),
    Program("quilt", "quilt --version", "0."),
    # Languages.
    Program("erlang", ERLANG, "42"),
    Program("elixir", "HOME=/tmp elixir -e 'IO.puts(40 + 2)'", "42"),
    Program("sbcl", "sbcl --noinform --non-interactive --eval '(princ (* 6 7))'", "42"),
    Program("swi-prolog", "HOME=/tmp swipl -g 'X is 6 * 7, writeln(X)' -t halt", "42"),
    Program("tinycc", "tcc -v", "tcc version"),
    # Secrets.
    Program(
        "gnupg",
        "export HOME=/tmp; gpg --version; gpg -q --batch --passphrase '' --quick-gen-key a; gpg -k",
        "uid",
    ),
    Program("age", "age-keygen -o k 2> /dev/null; age-keygen -y k", "age1"),
    Program("pass", "HOME=/tmp pass version", "password manager"),
    Program("pwgen", "x=$(pwgen 12 1); echo ${#x}", "12"),
    Program("apg", "apg -n 1 -m 8 -x 8", ""),
    Program("mkpasswd", "mkpasswd -m sha-512 -S saltsalt x", "$6$saltsalt$"),
    Program("softhsm", "softhsm2-util --version", "2."),
    Program("oath-toolkit", "oathtool -d 6 00", "328482"),
    Program("direnv", "HOME=/tmp direnv stdlib", "PATH_add"),
)
