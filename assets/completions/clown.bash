# Completion of clown for bash. Load it from ~/.bashrc: source <(clown completions bash)
_clown() {
    local -a words=()
    local i word line cur glue= prefix=
    # bash takes words apart at = and : as well; clown wants them whole.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ ${#words[@]} -gt 0 && (-n $glue || $word == [=:]*) ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
        glue=
        if [[ $word == [=:] ]]; then glue=1; fi
    done
    cur=${words[${#words[@]} - 1]}
    # What stands before the last break is on the line already.
    if [[ $cur == *[=:]* && $COMP_WORDBREAKS == *[=:]* ]]; then
        prefix=${cur%"${cur##*[=:]}"}
    fi
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :files) compopt -o default 2>/dev/null ;;
            :dirs) compopt -o dirnames 2>/dev/null ;;
            *)
                line=${line%%$'\t'*}
                COMPREPLY+=("${line#"$prefix"}")
                ;;
        esac
    done < <(command clown __complete "${words[@]}" 2>/dev/null)
}
complete -F _clown clown
