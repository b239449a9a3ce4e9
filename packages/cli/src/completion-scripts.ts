/** What `mbk completion` prints: each script asks `mbk __complete` for what may stand at the cursor. */

const bash = `# Completion of mbk for bash.
_mbk() {
  local lines line
  lines=$(mbk __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
  COMPREPLY=()
  if [[ $lines == ':files' ]]; then
    compopt -o default
    return
  fi
  while IFS= read -r line; do
    [[ -n $line ]] && COMPREPLY+=("\${line%%$'\\t'*}")
  done <<< "$lines"
}
complete -F _mbk mbk
`;

const zsh = `#compdef mbk
# Completion of mbk for zsh.
_mbk() {
  local -a lines described
  local line
  lines=("\${(@f)$(mbk __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ \${lines[1]} == ':files' ]]; then
    _files
    return
  fi
  for line in $lines; do
    [[ -n $line ]] || continue
    described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe mbk described
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _mbk "$@"
else
  compdef _mbk mbk
fi
`;

const fish = `# Completion of mbk for fish.
function __mbk_complete
  set -l words (commandline --tokenize --cut-at-cursor --current-process) (commandline --current-token --cut-at-cursor)
  set -l lines (mbk __complete -- $words[2..-1] 2>/dev/null)
  if test "$lines" = ':files'
    __fish_complete_path (commandline --current-token --cut-at-cursor)
  else
    printf '%s\\n' $lines
  end
end
complete --command mbk --no-files --arguments '(__mbk_complete)'
`;

/** Scripts by the name of their shell. */
export const completionScripts: Readonly<Record<string, string>> = { bash, zsh, fish };
