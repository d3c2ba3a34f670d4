import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";

import { type CompiledCodeOptions, openCompiledCode } from "./compiled-code.ts";

interface ChunkModule {
  exports: unknown;
}

/** A chunk as `tools/agent-bundle.ts` writes it; `url` and `resolve` replace `import.meta`. */
type Chunk = (
  require: (name: string) => unknown,
  module: ChunkModule,
  url: string,
  resolve: (name: string) => string,
) => void;
type Chunks = Readonly<Record<string, Chunk>>;

/** The text of chunks, and the code that V8 has compiled for them; the code is empty after the first run. */
interface Pack {
  readonly text: string;
  readonly code: Uint8Array;
}

/** The name of the chunk that is the program. */
const entry = "./main.js";

/**
 * Runs the program of a bundle in chunks. A command uses few of its hundreds of chunks, and reading all of them takes as long as
 * running it: the cache holds the text of those that the same command has used before, with their compiled code.
 */
export function runChunks(path: string, options: CompiledCodeOptions): void {
  const cache = openCompiledCode(path, options);
  const pack = readPack(cache.read());
  const packed = pack === undefined ? undefined : compilePack(path, pack);
  const packedChunks = packed?.chunks ?? {};
  const loaded = new Map<string, ChunkModule>();
  let all: Chunks | undefined;
  const find = (name: string): Chunk | undefined =>
    packedChunks[name] ?? (all ??= chunksOf(compile(path, readFileSync(path, "latin1"))))[name];

  const outside = createRequire(path);
  const url = pathToFileURL(path).href;
  const resolve = (name: string): string => pathToFileURL(outside.resolve(name)).href;
  const load = (name: string): unknown => {
    const known = loaded.get(name);
    if (known !== undefined) return known.exports;
    const chunk = name.startsWith("./") ? find(name) : undefined;
    if (chunk === undefined) return outside(name);
    const module: ChunkModule = { exports: {} };
    loaded.set(name, module);
    chunk(load, module, url, resolve);
    return module.exports;
  };

  cache.replaceAtExit(() => {
    if (pack !== undefined && packed !== undefined && all === undefined) {
      return packed.isStale ? encodePack(pack.text, packed.script.createCachedData()) : undefined;
    }
    const names = new Set([...Object.keys(packedChunks), ...loaded.keys()]);
    return encodePack(textOf({ ...all, ...packedChunks }, names));
  });
  load(entry);
}

interface CompiledPack {
  readonly script: Script;
  readonly chunks: Chunks;
  /** True if V8 has no use for the stored code. */
  readonly isStale: boolean;
}

/** Compiles a pack; undefined if it is damaged. */
function compilePack(path: string, { text, code }: Pack): CompiledPack | undefined {
  try {
    const script = compile(path, text, code);
    const isStale = code.length === 0 || script.cachedDataRejected === true;
    return { script, chunks: chunksOf(script), isStale };
  } catch {
    return undefined; // A torn file; the bundle replaces it.
  }
}

function compile(filename: string, text: string, code?: Uint8Array): Script {
  const hasCode = code !== undefined && code.length > 0;
  return new Script(text, { filename, ...(hasCode ? { cachedData: code } : {}) });
}

function chunksOf(script: Script): Chunks {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the text of `textOf`, and of the bundle
  return script.runInThisContext() as Chunks;
}

/** Returns the text of an expression: an object with the named chunks, like a bundle. */
function textOf(chunks: Chunks, names: ReadonlySet<string>): string {
  const properties = Object.entries(chunks)
    .filter(([name]) => names.has(name))
    .map(([name, chunk]) => `${JSON.stringify(name)}:${chunk.toString()}`);
  return `({${properties.join(",\n")}})`;
}

/*
 * A pack in its file:
 *
 *   | code length, 4 bytes | 0, 4 bytes | code | text in ASCII |
 *
 * V8 copies code that is not aligned to 8 bytes.
 */
const headerBytes = 8;

function encodePack(text: string, code: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = Buffer.alloc(headerBytes + code.length + text.length);
  bytes.writeUInt32LE(code.length);
  bytes.set(code, headerBytes);
  bytes.write(text, headerBytes + code.length, "latin1");
  return bytes;
}

/** Reads a pack, whose code is a view; undefined for a torn file. */
function readPack(bytes: Buffer | undefined): Pack | undefined {
  if (bytes === undefined || bytes.length < headerBytes) return undefined;
  const textAt = headerBytes + bytes.readUInt32LE(0);
  if (textAt > bytes.length) return undefined;
  return { text: bytes.toString("latin1", textAt), code: bytes.subarray(headerBytes, textAt) };
}
