import {
  editFile,
  type FileChange,
  type FileEdit,
  type FileEntry,
  listFiles,
  makeDirectory,
  moveFile,
  readArchive,
  removeFile,
  searchFiles,
  statFile,
  watchFiles,
  writeArchive,
  writeFile,
} from "@slipway/api/agents/file-routes";

import type { ApiClient } from "../http/client.ts";
import { ApiError, ConnectError } from "../http/errors.ts";
import { openSocket } from "../stream/socket.ts";
import type {
  Cancelable,
  FileContent,
  FileSource,
  FoundMatches,
  ReadOptions,
  SearchOptions,
  WriteOptions,
} from "./file-options.ts";
import { changedFrom, openRange, resumedContent } from "./resumed-content.ts";

/** The default maximum size of a file that is read as a whole, in bytes. */
const maxWholeBytes = 64 * 1024 * 1024;
const never = new AbortController().signal;

/**
 * The files of a workspace, as the user of its agent may use them. Paths are absolute, or begin with `~/`. Calls throw
 * `ApiError`, `ConnectError`, `FileChangedError` and the signal's reason.
 */
export class Files {
  readonly #client: ApiClient;
  readonly #agent: () => Promise<string>;

  /** Takes the id of the agent, or finds it at each call. */
  constructor(client: ApiClient, agent: string | (() => Promise<string>)) {
    this.#client = client;
    this.#agent = typeof agent === "string" ? () => Promise.resolve(agent) : agent;
  }

  /** Lists a directory in the order of its names, a page at a time. */
  async *list(path: string, { signal = never }: Cancelable = {}): AsyncGenerator<FileEntry> {
    const params = await this.#params();
    for (let after: string | undefined, isMore = true; isMore;) {
      const query = after === undefined ? { path } : { path, after };
      const page = await this.#client.call(listFiles, { params, query, signal });
      yield* page.entries;
      after = page.next;
      isMore = after !== undefined;
    }
  }

  /** Describes a file, or with `followLinks: false` a symbolic link. */
  async stat(
    path: string,
    { followLinks = true, signal = never }: Cancelable & { readonly followLinks?: boolean } = {},
  ): Promise<FileEntry> {
    const query = { path, ...(followLinks ? {} : { follow: "false" as const }) };
    return this.#client.call(statFile, { params: await this.#params(), query, signal });
  }

  /** Reports whether anything has that path; a link whose target is missing counts. */
  async exists(path: string, { signal = never }: Cancelable = {}): Promise<boolean> {
    try {
      await this.stat(path, { followLinks: false, signal });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  }

  /** Opens the content of a file, or a part of it. */
  async open(path: string, options: ReadOptions = {}): Promise<FileContent> {
    const params = await this.#params();
    const read = { path, params, ...options };
    const answer = await openRange(this.#client, read);
    const length = answer.headers.get("content-length");
    const etag = answer.headers.get("etag") ?? "";
    const size = length === null ? undefined : Number(length);
    return { etag, size, content: resumedContent(this.#client, answer, { ...read, etag, size }) };
  }

  /** Reads a file as a whole. Throws `RangeError` for one with more than `maxBytes` (default: 64 MiB). */
  async read(
    path: string,
    { maxBytes = maxWholeBytes, ...options }: ReadOptions & { readonly maxBytes?: number } = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { size, content } = await this.open(path, options);
    const tooLarge = (): RangeError => new RangeError(`${path} has more than ${maxBytes} bytes`);
    if (size !== undefined && size > maxBytes) throw tooLarge();
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of content) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
    return joined(chunks, bytes);
  }

  /** Reads a text in UTF-8. Throws like `read`. */
  async readText(
    path: string,
    options: ReadOptions & { readonly maxBytes?: number } = {},
  ): Promise<string> {
    return new TextDecoder().decode(await this.read(path, options));
  }

  /**
   * Writes a file. It is replaced once all of the content has arrived, or not at all; with `offset` it is written in place.
   */
  async write(path: string, source: FileSource, options: WriteOptions = {}): Promise<FileEntry> {
    const { mode, modifiedAt, parents, offset, ifMatch, ifAbsent, signal = never } = options;
    const query = {
      path,
      ...(mode === undefined ? {} : { mode: mode.toString(8) }),
      ...(modifiedAt === undefined ? {} : { modified_at: modifiedAt.toISOString() }),
      ...(parents === true ? { parents: "true" as const } : {}),
      ...(offset === undefined ? {} : { offset: String(offset) }),
    };
    const headers: Readonly<Record<string, string>> = {
      ...(ifMatch === undefined ? {} : { "If-Match": ifMatch }),
      ...(ifAbsent === true ? { "If-None-Match": "*" } : {}),
    };
    const params = await this.#params();
    const content = contentOf(source);
    return changedFrom(path, () =>
      this.#client.sendStream(writeFile, { params, query, headers, content, signal }),
    );
  }

  /** Replaces texts in a file, each of which must occur once unless `replace_all`; resolves to a unified diff. */
  async edit(
    path: string,
    edits: readonly FileEdit[],
    { ifMatch, signal = never }: Cancelable & { readonly ifMatch?: string } = {},
  ): Promise<{ readonly file: FileEntry; readonly diff: string }> {
    const condition = ifMatch === undefined ? {} : { if_match: ifMatch };
    const body = { path, edits: [...edits], ...condition };
    const params = await this.#params();
    return changedFrom(path, () => this.#client.call(editFile, { params, body, signal }));
  }

  /** Moves or renames a file or directory; with `overwrite` it may replace a file. */
  async move(
    from: string,
    to: string,
    { overwrite = false, signal = never }: Cancelable & { readonly overwrite?: boolean } = {},
  ): Promise<FileEntry> {
    const body = { from, to, overwrite };
    return this.#client.call(moveFile, { params: await this.#params(), body, signal });
  }

  /** Removes a file or an empty directory; with `recursive` a directory with its content. Resolves to the count. */
  async remove(
    path: string,
    { recursive = false, signal = never }: Cancelable & { readonly recursive?: boolean } = {},
  ): Promise<number> {
    const body = { path, recursive };
    const params = await this.#params();
    return (await this.#client.call(removeFile, { params, body, signal })).removed;
  }

  /** Creates a directory; with `parents` also those above, and one that exists is accepted. */
  async makeDirectory(
    path: string,
    options: Cancelable & { readonly parents?: boolean; readonly mode?: number } = {},
  ): Promise<FileEntry> {
    const { parents = false, mode, signal = never } = options;
    const body = { path, parents, ...(mode === undefined ? {} : { mode: mode.toString(8) }) };
    return this.#client.call(makeDirectory, { params: await this.#params(), body, signal });
  }

  /** Searches the lines of the files below a path, without hidden files and those that ignore files name. */
  async search(path: string, pattern: string, options: SearchOptions = {}): Promise<FoundMatches> {
    const { literal, ignoreCase, globs, all, limit, signal = never } = options;
    const body = {
      path,
      pattern,
      ...(literal === undefined ? {} : { literal }),
      ...(ignoreCase === undefined ? {} : { ignore_case: ignoreCase }),
      ...(globs === undefined ? {} : { globs: [...globs] }),
      ...(all === undefined ? {} : { all }),
      ...(limit === undefined ? {} : { limit }),
    };
    const params = await this.#params();
    const found = await this.#client.call(searchFiles, { params, body, signal });
    return { matches: found.matches, truncatedBy: found.truncated_by };
  }

  /**
   * Watches a file or directory, with `recursive` all below it, until the loop or the signal ends. The first list is empty:
   * the watch has begun.
   */
  async *watch(
    path: string,
    { recursive = false, signal = never }: Cancelable & { readonly recursive?: boolean } = {},
  ): AsyncGenerator<readonly FileChange[]> {
    const query = { path, ...(recursive ? { recursive: "true" as const } : {}) };
    const url = this.#client.url(watchFiles, { params: await this.#params(), query });
    const { headers, createSocket: create } = this.#client;
    const options = { headers, signal, ...(create === undefined ? {} : { create }) };
    const socket = await openSocket(url, options);
    try {
      for await (const text of socket) {
        // Answers are trusted to follow the contract.
        const { changes }: { readonly changes: readonly FileChange[] } = JSON.parse(text);
        yield changes;
      }
      signal.throwIfAborted();
      const { code, reason } = await socket.ended;
      throw new ConnectError(url, { cause: new Error(`the watch ended with ${code} ${reason}`) });
    } finally {
      socket.close();
    }
  }

  /** Downloads a tree as a tar, with names relative to the path. */
  async download(
    path: string,
    { signal = never }: Cancelable = {},
  ): Promise<AsyncIterable<Uint8Array>> {
    const params = await this.#params();
    return (await this.#client.openDownload(readArchive, { params, query: { path }, signal }))
      .content;
  }

  /** Unpacks a tar into a directory, which is created; `overwrite: false` refuses files that exist. */
  async upload(
    path: string,
    tar: FileSource,
    { overwrite = true, signal = never }: Cancelable & { readonly overwrite?: boolean } = {},
  ): Promise<{ readonly files: number; readonly directories: number; readonly bytes: number }> {
    const query = { path, ...(overwrite ? {} : { overwrite: "false" as const }) };
    const params = await this.#params();
    const content = contentOf(tar);
    return this.#client.sendStream(writeArchive, { params, query, content, signal });
  }

  async #params(): Promise<{ readonly agent: string }> {
    return { agent: await this.#agent() };
  }
}

async function* contentOf(source: FileSource): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (typeof source === "string") yield new TextEncoder().encode(source);
  else if (source instanceof Uint8Array) yield ownBytes(source);
  else for await (const chunk of source) yield ownBytes(chunk);
}

/** Returns bytes that are not shared with another thread, without a copy if possible. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer, byteOffset, byteLength);
  return new Uint8Array(bytes);
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
