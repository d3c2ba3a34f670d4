import { realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { errorText, type Logger, systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { replaceFile } from "@slipway/runtime/replace-file";
import { applyEdits, modify, parse, type ParseError } from "jsonc-parser";

import { readFileStart } from "../process/read-file-start.ts";

/** The place of a user's files. */
interface EditorHome {
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Settings that leave logging in with git to the agent, which gets the token of a provider from the server. */
const settings = { "git.useIntegratedAskPass": false, "github.gitAuthentication": false };

/** The directories below the home that the servers of the editors keep their files in. */
const editorDirectories = [
  ".vscode-server",
  ".vscode-insiders-server",
  ".cursor-server",
  ".windsurf-server",
  ".vscodium-server",
];

/** The largest file that is taken for settings, in bytes. */
const maxBytes = 1024 * 1024;

/**
 * Has the editors that run in the workspace leave logging in with git to the agent (docs/protocol/agent.md §9.3). What
 * somebody has chosen stays as it is, and so do comments. A file that cannot be changed is named in the agent's log; the
 * others are changed still.
 */
export async function writeEditorSettings(home: EditorHome, logger: Logger): Promise<void> {
  for (const path of settingsPaths(home)) {
    try {
      await addSettings(path);
    } catch (error) {
      logger.warn({ path, error: errorText(error) }, "settings of an editor cannot be changed");
    }
  }
}

function settingsPaths({ home, environment }: EditorHome): readonly string[] {
  const data = environment["XDG_DATA_HOME"] || join(home, ".local", "share");
  const ofServers = editorDirectories.map((directory) => join(home, directory, "data"));
  return [...ofServers, join(data, "code-server")].map((directory) =>
    join(directory, "Machine", "settings.json"),
  );
}

/** Throws what the file system throws, and `Error` for a file that does not hold settings. */
async function addSettings(path: string): Promise<void> {
  const file = await readSettings(path);
  const text = Object.entries(settings)
    .filter(([name]) => !Object.hasOwn(file.values, name))
    .reduce((current, [name, value]) => withSetting(current, name, value), file.text);
  if (text === file.text) return;
  await makeDirectories(dirname(file.path), 0o700);
  await replaceFile(file.path, text, { mode: file.mode });
}

interface SettingsFile {
  /** Its real path: a link stays one. */
  readonly path: string;
  readonly text: string;
  readonly values: object;
  readonly mode: number;
}

async function readSettings(path: string): Promise<SettingsFile> {
  const found = await realpath(path).catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return { path, text: "{}\n", values: {}, mode: 0o600 };
  const content = await readFileStart(found, maxBytes + 1);
  if (content === undefined || content.length > maxBytes) throw new Error("not a file of settings");
  const mode = (await stat(found)).mode & 0o777;
  const text = content.toString();
  if (text.trim() === "") return { path: found, text: "{}\n", values: {}, mode };
  const errors: ParseError[] = [];
  const values: unknown = parse(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new Error("not JSON with comments that holds an object");
  }
  return { path: found, text, values, mode };
}

/** Adds a setting in the way in which the text is indented, by tabs if it is not. */
function withSetting(text: string, name: string, value: unknown): string {
  const spaces = /^ +/m.exec(text)?.[0].length ?? 0;
  const formattingOptions = {
    insertSpaces: spaces > 0,
    tabSize: spaces > 0 ? spaces : 1,
    eol: "\n",
  };
  return applyEdits(text, modify(text, [name], value, { formattingOptions }));
}
