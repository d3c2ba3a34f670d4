/**
 * The first files of a home. The prompt of bash names the workspace: its user may have no name on this machine, for
 * which bash would show "I have no name!".
 */
export const homeFiles: Readonly<Record<string, string>> = {
  ".bashrc": `# Interactive shells start with this file, which is yours to change.
case $- in
  *i*) PS1='$CODER_WORKSPACE_NAME:\\w\\$ ' ;;
esac
`,
  ".profile": `# Login shells start with this file, which is yours to change.
if [ -n "$BASH_VERSION" ] && [ -r ~/.bashrc ]; then
  . ~/.bashrc
fi
`,
};
