import { readdir, readFile } from "node:fs/promises";

import { tarMimeType } from "@slipway/api/files/routes";
import type { TemplateExample } from "@slipway/api/templates/template";
import { capabilitiesOf } from "@slipway/drivers";
import { parseTemplateDefinition } from "@slipway/template";
import { pack } from "tar-stream";

import { cloneDirectory } from "../../platform/clone-directory.ts";
import { invalidField } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { type FileNeeds, keepFile } from "../files/service.ts";

/** Stores an example as if the caller had uploaded it; resolves to the file's id. */
export async function keepExample(
  needs: FileNeeds,
  caller: UserCaller,
  id: string,
  drivers: readonly string[],
): Promise<string> {
  const text = await readExampleText(id, drivers);
  if (text === undefined)
    throw invalidField("example_id", `must be the ID of an example, found "${id}"`);
  return (await keepFile(needs, caller, tarMimeType, await tarOf(text))).id;
}

const directory = new URL("examples/", cloneDirectory);
const ending = ".slipway.yaml";

/**
 * Reads the examples of the repository that this server can build with its drivers, those whose workspaces are separate
 * from the server's machine by themselves first.
 */
export async function readExamples(drivers: readonly string[]): Promise<TemplateExample[]> {
  const names = await readdir(directory);
  const ids = names
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));
  const examples = await Promise.all(
    ids.toSorted().map(async (id) => exampleOf(id, await readText(id), drivers)),
  );
  const isLater = ({ tags }: TemplateExample): boolean =>
    tags.every((driver) => !capabilitiesOf(driver).hasContainers);
  return examples.flat().toSorted((a, b) => Number(isLater(a)) - Number(isLater(b)));
}

/** Reads the definition of an example; undefined when there is none with that id. */
async function readExampleText(
  id: string,
  drivers: readonly string[],
): Promise<string | undefined> {
  const examples = await readExamples(drivers);
  return examples.some((example) => example.id === id) ? readText(id) : undefined;
}

function readText(id: string): Promise<string> {
  return readFile(new URL(`${id}${ending}`, directory), "utf8");
}

function exampleOf(id: string, text: string, drivers: readonly string[]): TemplateExample[] {
  const parsed = parseTemplateDefinition(text, { drivers });
  if (!("definition" in parsed)) return [];
  const { displayName, description, icon, driver } = parsed.definition;
  const markdown = `${description}\n\n\`\`\`yaml\n${text}\`\`\`\n`;
  const name = displayName === "" ? id : displayName;
  return [{ id, url: "", name, description, icon, tags: [driver], markdown }];
}

async function tarOf(text: string): Promise<Uint8Array> {
  const tar = pack();
  tar.entry({ name: "slipway.yaml", mtime: new Date(0) }, text);
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}
