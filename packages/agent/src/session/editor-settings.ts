import { realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { errorText, type Logger, systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { replaceFile } from "@slipway/runtime/replace-file";
import { applyEdits, modify, parse, type ParseError } from "jsonc-parser";

import { readFileStart } from "../process/read-file-start.ts";

/** The home of a user, and the environment that may name other places. */
interface EditorHome {
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Settings that leave git authentication to the agent, which gets a provider's token from the server. */
const settings = { "git.useIntegratedAskPass": false, "github.gitAuthentication": false };

/** The directories of the editors' servers, below the home. */
const editorDirectories = [
  ".vscode-server",
  ".vscode-insiders-server",
  ".cursor-server",
  ".windsurf-server",
  ".vscodium-server",
];

/** The maximum size of a settings file, in bytes. */
const maxBytes = 1024 * 1024;

/**
 * Makes the editors in the workspace leave git authentication to the agent (docs/protocol/agent.md §9.3). Keeps settings that
 * exist, and comments. Logs files that cannot be changed, and changes the others.
 */
export async function writeEditorSettings(home: EditorHome, logger: Logger): Promise<void> {
  for (const path of settingsPaths(home)) {
    try {
      await addSettings(path);
    } catch (error) {
      logger.warn({ path, error: errorText(error) }, "cannot change editor settings");
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

/** Rejects with the errors of the file system, and with `Error` for a file that does not hold settings. */
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
  /** The real path, so that a link remains one. */
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
  if (content === undefined || content.length > maxBytes) throw new Error("not a settings file");
  const mode = (await stat(found)).mode & 0o777;
  const text = content.toString();
  if (text.trim() === "") return { path: found, text: "{}\n", values: {}, mode };
  const errors: ParseError[] = [];
  const values: unknown = parse(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new Error("not an object in JSON with comments");
  }
  return { path: found, text, values, mode };
}

/** Adds a setting, indented like the text, or by tabs. */
function withSetting(text: string, name: string, value: unknown): string {
  const spaces = /^ +/m.exec(text)?.[0].length ?? 0;
  const formattingOptions = {
    insertSpaces: spaces > 0,
    tabSize: spaces > 0 ? spaces : 1,
    eol: "\n",
  };
  return applyEdits(text, modify(text, [name], value, { formattingOptions }));
}
