import { completeWord, type Shell } from "./shells.ts";

/**
 * The script for each shell. All of them pass the words up to the cursor to `slipway __complete`, which answers with a
 * line `words` or `files` and then one candidate per line: its value, a tab, its description.
 */
export const completionScripts: Readonly<Record<Shell, string>> = {
  // bash splits words at = and :, so they are joined again; candidates must begin with bash's current word.
  bash: `# Completion of slipway for bash. In ~/.bashrc: source <(slipway completion bash)
_slipway() {
  local current=\${COMP_WORDS[COMP_CWORD]} quote= word words=() index line value kept
  [[ $current == [=:] ]] && current=
  [[ $current == [\\"\\']* ]] && quote=yes current=\${current:1}
  for ((index = 1; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    ((index == COMP_CWORD)) && [[ $quote ]] && word=$current
    if ((\${#words[@]} > 0)) && [[ $word == [=:]* || \${words[-1]} == *[=:] ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  word=\${words[-1]}
  kept=\${word%"$current"}
  COMPREPLY=()
  {
    IFS= read -r line || return
    [[ $line == files ]] && { compopt -o default; return; }
    while IFS= read -r line; do
      value=\${line%%$'\\t'*}
      value=\${value#"$kept"}
      [[ $quote ]] || value=\${value// /\\\\ }
      COMPREPLY+=("$value")
    done
  } < <(slipway ${completeWord} "\${words[@]}" 2>/dev/null)
}
complete -F _slipway slipway
`,
  zsh: `#compdef slipway
# Completion of slipway for zsh. In ~/.zshrc, after compinit: source <(slipway completion zsh)
_slipway() {
  local -a lines described
  local line summary
  lines=("\${(@f)$(slipway ${completeWord} "\${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
  [[ $lines[1] == files ]] && { _files; return }
  for line in "\${(@)lines[2,-1]}"; do
    summary=\${line#*$'\\t'}
    described+=("\${\${line%%$'\\t'*}//:/\\\\:}\${summary:+:$summary}")
  done
  (($#described > 0)) && _describe -V slipway described
}
if [[ $funcstack[1] == _slipway ]]; then
  _slipway "$@"
else
  compdef _slipway slipway
fi
`,
  fish: `# Completion of slipway for fish. In ~/.config/fish/config.fish: slipway completion fish | source
function __slipway_complete
    set -l words (commandline -opc)
    set -l current (string replace -r '^["\\']' '' -- (commandline -ct))
    set -l lines (slipway ${completeWord} $words[2..-1] "$current" 2>/dev/null)
    if test "$lines[1]" = files
        __fish_complete_path "$current"
    else
        printf '%s\\n' $lines[2..-1]
    end
end
complete -c slipway -f -k -a '(__slipway_complete)'
`,
  // Before 7.3 an empty word reached a program only as a pair of quotes.
  powershell: `# Completion of slipway for PowerShell. In $PROFILE: slipway completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName slipway -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { "$_" })
    $last = if ($wordToComplete -eq '' -and $PSVersionTable.PSVersion -lt [version]'7.3') { '""' } else { $wordToComplete }
    slipway ${completeWord} @words $last 2>$null | Select-Object -Skip 1 | ForEach-Object {
        $value, $summary = $_ -split "\`t", 2
        $text = if ($value -match '\\s') { "'$value'" } else { $value }
        $tip = if ($summary) { $summary } else { $value }
        [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $tip)
    }
}
`,
};
