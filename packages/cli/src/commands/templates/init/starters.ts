import { readdir, readFile } from "node:fs/promises";

import { listTemplateExamples } from "@slipway/api";
import { findFreePort } from "@slipway/runtime";

import { connect } from "../../../command/connect.ts";
import type { Settings } from "../../../command/needs.ts";
import { packageDirectory } from "../../../config/package-directory.ts";

/** A template to begin with: an example of the repository. */
export interface Starter {
  readonly id: string;
  readonly text: string;
  readonly description: string;
  readonly driver: string;
}

const directory = new URL("../../examples/", packageDirectory);
const ending = ".slipway.yaml";

/** Reads the starters that came with this command, sorted by id. */
export async function readStarters(): Promise<readonly Starter[]> {
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
 * Returns the ids of the starters whose driver the user may push to the server; undefined if there is no session to ask
 * with.
 */
export async function readOffered(
  settings: Settings,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  if (settings.url === undefined || settings.token === undefined) return undefined;
  const params = { organization: settings.organization };
  const examples = await connect(settings).call(listTemplateExamples, { params, signal });
  return new Set(examples.map(({ id }) => id));
}

/** The line of a starter with the port of its app. */
const portDefault = /^( {4}default: )(8642)$/m;

/** Returns the text of a starter in which the port of its app is free on this machine. */
export async function withFreePort(text: string): Promise<string> {
  const port = portDefault.exec(text)?.[2];
  if (port === undefined) return text;
  const free = await findFreePort(Number(port));
  return text.replace(portDefault, (_, before: string) => `${before}${free}`);
}
