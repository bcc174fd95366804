#!/usr/bin/env bash
# What is made from the table of options passes the tools that read it: mandoc, bash, zsh, fish. A tool
# that is missing is said; TERN_NO_SKIP makes it a failure.
set -uo pipefail
tern=$1
unset TERN_CONFIG
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0
complain() { echo "FAIL: $*"; bad=1; }
have() {
    command -v "$1" >/dev/null && return 0
    echo "no $1 here"
    [[ -z ${TERN_NO_SKIP:-} ]] || complain "$1 is missing"
    return 1
}
commands=$("$tern" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | grep -vx help)
[[ $(wc -w <<<"$commands") -ge 5 ]] || complain "commands not found in --help: $commands"

# manual: every page is clean (that the others are not installed does not count), and each is built
for page in '' $commands; do
    name=tern${page:+-$page}.1
    "$tern" help --man $page >"$dir/$name" || complain "help --man $page"
    built=$(dirname "$tern")/$name
    [[ -s $built ]] || complain "app/meson.build does not make $name"
    [[ ! $built -nt $tern ]] || cmp -s "$dir/$name" "$built" || complain "$built is not what the program prints"
    if have mandoc; then
        said=$(mandoc -Tlint "$dir/$name" | grep -v 'referenced manual not found')
        [[ -z $said ]] || complain "mandoc: $said"
        mandoc -Tascii "$dir/$name" | col -b >"$dir/text"
        [[ -z $page ]] || grep -q -- '--help' "$dir/text" || complain "mandoc shows no --help in $name"
    fi
done

# the file that the manual shows is one
"$tern" help --man | sed -n '/^\.Bd/,/^\.Ed/{/^\.[BE]d/!p}' >"$dir/manual.yml"
"$tern" explain "$dir/manual.yml" >"$dir/text" || complain 'the file in tern.1 is refused'
grep -q '^  tern load --mtu 9000 http' "$dir/text" || complain 'the file in tern.1 says something else'

# bash: the script is sourced and asked
"$tern" help --completion bash >"$dir/bash"
bash -n "$dir/bash" || complain 'bash -n'
ask_bash() { # words…: what would be offered for the last one
    bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tern; echo "${COMPREPLY[*]}"' \
        - "$dir/bash" "$@"
}
expect() { [[ $1 == "$2" ]] || complain "offered '$1', not '$2': $3"; }
expect "$(ask_bash tern lo)" load command
expect "$(ask_bash tern load --rat)" --rate option
expect "$(ask_bash tern load --cc cu)" cubic value
expect "$(ask_bash tern load --cc = cu)" cubic 'value after ='
expect "$(ask_bash tern load --cc =)" 'cubic newreno bbr dctcp' 'all values'
expect "$(ask_bash tern serve --app di)" discard service
expect "$(ask_bash tern load --app di)" '' 'value of another command'
expect "$(ask_bash tern load --rate '')" '' 'a number'
expect "$(cd "$dir" && touch lab.yml && ask_bash tern load --config lab)" lab.yml file
expect "$(cd "$dir" && ask_bash tern explain lab)" lab.yml 'file that stands alone'
expect "$(ask_bash tern help --completion z)" zsh shell

if have zsh; then
    "$tern" help --completion zsh >"$dir/zsh"
    zsh -n "$dir/zsh" || complain 'zsh -n'
fi
if have fish; then
    "$tern" help --completion fish >"$dir/fish"
    fish -n "$dir/fish" || complain 'fish -n'
    ask_fish() { HOME=$dir fish --no-config -c "source $dir/fish; complete -C '$1'" | cut -f1 | tr '\n' ' '; }
    expect "$(ask_fish 'tern lo')" 'load ' 'command (fish)'
    expect "$(ask_fish 'tern load --cc ')" 'bbr cubic dctcp newreno ' 'value (fish)'
    expect "$(ask_fish 'tern load --rat')" '--rate ' 'option (fish)'
fi
exit $bad
