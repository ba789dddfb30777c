#compdef clown
# Completion of clown for zsh. Load it from ~/.zshrc, after compinit: source <(clown completions zsh)
_clown() {
    local -a lines described
    local line
    lines=("${(@f)$(command clown __complete "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
    for line in $lines; do
        case $line in
            :files) _files && return ;;
            :dirs) _files -/ && return ;;
            *$'\t'*) described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
            ?*) described+=("${line//:/\\:}") ;;
        esac
    done
    (( $#described )) && _describe -t words clown described
}
if [[ $funcstack[1] == _clown ]]; then
    _clown "$@"
else
    compdef _clown clown
fi
