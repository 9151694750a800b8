#compdef pushrod
# Completion of pushrod's command line for zsh. The program itself says what may follow, so this never grows old.
# Install it as _pushrod in a directory of $fpath, or after compinit: eval "$(pushrod completion zsh)"

_pushrod() {
  local line value
  local -a values open
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      _files
      continue
    fi
    value=${${line%%$'\t'*}//:/\\:}
    [[ $line == *$'\t'* ]] && value+=":${line#*$'\t'}"
    if [[ ${line%%$'\t'*} == *[=,] ]]; then open+=("$value"); else values+=("$value"); fi
  done < <("${words[1]}" complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#values )) && _describe -V 'pushrod' values
  (( $#open )) && _describe -V 'pushrod' open -S ''
}

if [[ $funcstack[1] == _pushrod ]]; then
  _pushrod "$@"
else
  compdef _pushrod pushrod
fi
