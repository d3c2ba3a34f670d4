import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";

/**
 * The first files of a home. The prompt of bash names the workspace: its user may have no name on this machine, for
 * which bash would show "I have no name!".
 */
const homeFiles: Readonly<Record<string, string>> = {
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

/** Creates a missing home with its first files, still as ours: its user cannot reach it yet. */
export async function makeHome(home: string): Promise<void> {
  try {
    await mkdir(home, { mode: 0o700 });
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return;
    throw error;
  }
  for (const [name, content] of Object.entries(homeFiles)) {
    await writeFile(join(home, name), content, { mode: 0o644 });
  }
}
