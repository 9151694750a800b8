# Completion of pushrod's command line for bash. The program itself says what may follow, so this never grows old.
# Install it as /usr/share/bash-completion/completions/pushrod, or: eval "$(pushrod completion bash)"

_pushrod() {
  local line=${COMP_LINE:0:COMP_POINT} word candidate begun
  local -a words
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  # readline replaces what comes after the last of its word breaks ("=", ":"; from "@" on), and wants only that.
  word=${words[-1]}
  begun=${word%"${word##*[$COMP_WORDBREAKS]}"}
  begun=${begun%@}
  COMPREPLY=()
  while IFS= read -r candidate; do
    if [[ $candidate == :files ]]; then
      compopt -o default
      continue
    fi
    candidate=${candidate%%$'\t'*}
    [[ $candidate == *[=,] ]] && compopt -o nospace
    COMPREPLY+=("${candidate#"$begun"}")
  done < <("$1" complete "${words[@]:1}" 2>/dev/null)
}
complete -F _pushrod pushrod
