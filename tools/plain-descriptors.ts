import { readFile } from "node:fs/promises";
import { dirname } from "node:path";

import type { Plugin } from "esbuild";

/** A message of a descriptor: its fields, and those at their defaults in the prototype. */
type Message = Readonly<Record<string, unknown>> & { readonly $typeName: string };

interface PlainFile {
  /** The prototypes of the messages by their types. */
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly root: Message;
}

/** The call that reads a descriptor, in files that `protoc-gen-es` has generated. */
const descriptorCall = /\bfileDesc\("[\w+/=]+"/;

/**
 * Puts the descriptors of protobuf files into bundles as JSON. Generated files hold them encoded as protobuf, and before
 * it decodes the first, the library has to make the descriptor of descriptors: an eighth of the time that `slipway ssh`
 * computes.
 */
export const plainDescriptors: Plugin = {
  name: "plain descriptors",
  setup(build) {
    build.onLoad({ filter: /_pb\.[jt]s$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      if (!descriptorCall.test(text)) return undefined;
      const json = JSON.stringify(plainFile(await readRoot(path)));
      return {
        contents: text.replace(descriptorCall, () => `fileDesc(${JSON.stringify(json)}`),
        loader: path.endsWith(".ts") ? "ts" : "js",
      };
    });
    build.onLoad({ filter: /\/codegenv2\/file\.js$/ }, ({ path }) => ({
      contents: `${plainFileDesc}\n${fromPlain.toString()}`,
      resolveDir: dirname(path),
    }));
  },
};

/** The library's function of the same name, for a file as JSON. */
const plainFileDesc = `
import { createEmbeddedFileRegistry } from "../registry.js";
export function fileDesc(json, imports = []) {
  const root = fromPlain(JSON.parse(json));
  const find = (name) => imports.find(({ proto }) => proto.name === name);
  return createEmbeddedFileRegistry(root, find).getFile(root.name);
}`;

/** Returns the message of a file's descriptor, with all names that the library adds. */
async function readRoot(path: string): Promise<Message> {
  const exported: Readonly<Record<string, unknown>> = await import(path);
  for (const value of Object.values(exported)) {
    if (isFile(value)) return value.proto;
  }
  throw new Error(`${path} exports no descriptor of a file`);
}

function isFile(value: unknown): value is { readonly proto: Message } {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "file";
}

function plainFile(root: Message): PlainFile {
  const defaults: Record<string, unknown> = {};
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (isMessage(value)) {
      defaults[value.$typeName] ??= { ...Object.getPrototypeOf(value) };
      Object.values(value).forEach(collect);
    }
  };
  collect(root);
  return { defaults, root };
}

function isMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null && "$typeName" in value;
}

/** Makes the messages of a plain file again; a bundle contains the text of this function. */
function fromPlain({ defaults, root }: PlainFile): unknown {
  const restore = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(restore);
    if (typeof value !== "object" || value === null) return value;
    const fields = Object.entries(value).map(([name, field]) => [name, restore(field)]);
    const message: object = Object.fromEntries(fields);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a message of `plainFile`
    return Object.setPrototypeOf(message, defaults[(message as Message).$typeName] as object);
  };
  return restore(root);
}
