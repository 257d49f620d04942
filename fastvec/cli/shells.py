"""What shtab's scripts for shells lack: values that stand behind ``=``, as in ``--loss=so``."""

from __future__ import annotations

import re

__all__ = ["amended"]

# How the script for zsh marks an argument that may come any number of times; zsh reads it as one.
ONE_OF_ANY = re.compile(r'"\(\*\)::?')
# Its options that have values: "--loss[what it does]:..." and {-o,--output}"[what it does]:...".
HELP = r'\[(?:[^"\\]|\\.)*\]:'
LONG = re.compile(rf'^(  "--[\w-]+)({HELP})', re.MULTILINE)
SHORT_AND_LONG = re.compile(rf'^(  \{{-\w,--[\w-]+)(\}}"{HELP})', re.MULTILINE)

# In fish, a token with an option in it is no beginning of a path.
TOKEN = "(commandline -ct)"
VALUE = "(commandline -ct | string replace -r -- '^--[^=]*=' '')"

COMPLETE = re.compile(r"^complete (.*)-F _shtab_fastvec fastvec$", re.MULTILINE)
BASH = r"""# Readline hands over --loss=so as three words.
_fastvec() {
  local i words=() current=$COMP_CWORD
  for i in "${!COMP_WORDS[@]}"; do
    if [[ ${COMP_WORDS[i]} != "=" || ${COMP_WORDS[i-1]} != --* ]]; then
      words+=("${COMP_WORDS[i]}")
    elif (( i == COMP_CWORD )); then
      words+=("")
    elif (( i < COMP_CWORD )); then
      (( current -= 1 ))
    fi
  done
  COMP_WORDS=("${words[@]}") COMP_CWORD=$current
  _shtab_fastvec
}

complete \1-F _fastvec fastvec"""


def amended(script: str, shell: str) -> str:
    """Return the script of a shell such that it completes what stands behind ``=``, too."""
    if shell == "bash":
        return COMPLETE.sub(BASH, script)
    if shell == "fish":
        return script.replace(f"(__fish_complete_path {TOKEN})", f"(__fish_complete_path {VALUE})")
    return SHORT_AND_LONG.sub(r"\1=\2", LONG.sub(r"\1=\2", ONE_OF_ANY.sub('"*:', script)))
