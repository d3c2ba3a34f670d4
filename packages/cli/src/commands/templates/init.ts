import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { listTemplateExamples } from "@slipway/api/templates/routes";
import { errorText, shellWord, systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs, Settings } from "../../command/needs.ts";
import { packageDirectory } from "../../config/own-package.ts";
import { templateFileName } from "./push/template-source.ts";

export const command = defineCommand({
  summary: "write a starter template to a directory",
  description:
    "Write a starter template to a directory. If you are logged in, slipway offers only starters whose driver the " +
    "server lets you use. On a terminal, it asks for one of them; elsewhere it writes the first.",
  arguments: {
    directory: {
      summary: "target directory (default: the current directory)",
      required: false,
      completion: "files",
    },
  },
  flags: {
    example: {
      kind: "text",
      value: "starter",
      aliases: ["id"],
      summary: "starter to write: demo, docker, external or pool (default: a prompt, or the first)",
      completion: ["demo", "docker", "external", "pool"],
    },
  },
  examples: [
    { line: "slipway templates init small-box", summary: "write small-box/slipway.yaml" },
    { line: "slipway templates init --example docker box", summary: "for containers" },
    { line: "slipway templates init --example external", summary: "for machines of your own" },
  ],
});

type InitNeeds = Pick<Needs, "terminal" | "settings" | "signal">;

export async function run(
  { directory = ".", example }: OptionsOf<typeof command>,
  needs: InitNeeds,
): Promise<number> {
  const { err } = needs.terminal;
  const path = join(directory, templateFileName);
  const starter = await chooseStarter(example, needs);
  await makeDirectories(directory);
  try {
    await writeFile(path, starter.text, { flag: "wx" });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    throw new CommandError(`${path} already exists and was not changed`, {
      hint: `push it with: ${pushCommand(directory)}`,
    });
  }
  err.line(`wrote ${path} from the starter ${starter.id}, driver ${starter.driver}`);
  err.line(`edit it, then push it with: ${pushCommand(directory)}`);
  return exitCodes.ok;
}

function pushCommand(directory: string): string {
  return `slipway templates push${directory === "." ? "" : ` ${shellWord(directory)}`}`;
}

async function chooseStarter(id: string | undefined, needs: InitNeeds): Promise<Starter> {
  const starters = await readStarters();
  if (id !== undefined) return starterOf(starters, id);
  const allowed = await allowedStarters(starters, needs);
  const [first] = allowed;
  if (first === undefined) {
    throw new CommandError("this server lets you use the driver of no starter", {
      hint: "ask an administrator which driver to use; docs/templates.md describes them",
    });
  }
  const { interactive, prompts } = needs.terminal;
  if (allowed.length === 1 || !interactive) return first;
  const choices = allowed.map(({ id: value, driver, description }) => ({
    value,
    label: `${value} (driver ${driver})`,
    hint: description,
  }));
  return starterOf(allowed, await prompts.select("Starter", choices));
}

function starterOf(starters: readonly Starter[], id: string): Starter {
  const found = starters.find((starter) => starter.id === id);
  if (found !== undefined) return found;
  const ids = starters.map((starter) => starter.id).join(", ");
  throw new UsageError(`there is no starter ${id}, wanted one of ${ids}`);
}

/** Without an answer of the server all are allowed: files can be written before it can be reached. */
async function allowedStarters(
  starters: readonly Starter[],
  { settings, signal, terminal }: InitNeeds,
): Promise<readonly Starter[]> {
  try {
    const offered = await readOffered(settings, signal);
    if (offered !== undefined) {
      return offered.flatMap((id) => starters.find((starter) => starter.id === id) ?? []);
    }
    terminal.err.line("not logged in: the server may not offer the driver of this starter");
  } catch (error) {
    if (signal.aborted) throw error;
    const reason = `cannot ask the server which drivers it offers: ${errorText(error)}`;
    terminal.err.line(terminal.err.colors.yellow(`warning: ${reason}`));
  }
  return starters;
}

/** A template to begin with: an example from the repository. */
interface Starter {
  readonly id: string;
  readonly text: string;
  readonly description: string;
  readonly driver: string;
}

const directory = new URL("../../examples/", packageDirectory);
const ending = ".slipway.yaml";

/** Reads the starters that came with this command, sorted by id. */
async function readStarters(): Promise<readonly Starter[]> {
  const { parseTemplateDefinition } = await import("@slipway/template");
  const files = (await readdir(directory)).filter((name) => name.endsWith(ending)).toSorted();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(new URL(file, directory), "utf8");
      const parsed = parseTemplateDefinition(text, undefined);
      if ("problems" in parsed) throw new Error(`the starter ${file} is not valid`);
      const { description, driver } = parsed.definition;
      return { id: file.slice(0, -ending.length), text, description, driver };
    }),
  );
}

/**
 * Returns the ids of the starters whose driver the user may push to the server, in its order; undefined if there is no
 * session.
 */
async function readOffered(
  settings: Settings,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (settings.url === undefined || settings.token === undefined) return undefined;
  const params = { organization: settings.organization };
  const examples = await connect(settings).call(listTemplateExamples, { params, signal });
  return examples.map(({ id }) => id);
}
