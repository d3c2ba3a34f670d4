import {
  editFile as editRoute,
  type FileEntry,
  FileType,
  listFiles as listRoute,
  readFile as readRoute,
  searchFiles as searchRoute,
  statFile,
  writeFile as writeRoute,
} from "@slipway/api/agents/file-routes";
import { printableText } from "@slipway/runtime";
import { type Static, Type } from "typebox";

import { maxReadBytes, maxWriteChars } from "./limits.ts";
import { defineTool, ToolError } from "./tool.ts";
import { AgentArgument, findAgent } from "./workspace-reference.ts";

const PathArgument = Type.String({
  description: "An absolute path; ~ is the home directory.",
  minLength: 1,
  maxLength: 4_096,
});

const FileSummary = Type.Object({
  path: Type.String(),
  type: FileType,
  size: Type.Number(),
  mode: Type.String({ description: "The permissions in octal." }),
  modified_at: Type.String(),
});

const reads = { isReadOnly: true, isDestructive: false, isIdempotent: true };
const scopes = ["workspace:read", "workspace:ssh"] as const;

export const listFiles = defineTool({
  name: "list_files",
  stockName: "coder_workspace_ls",
  title: "List a directory",
  description: "List a directory of a workspace.",
  traits: reads,
  scopes,
  input: Type.Object({
    workspace: AgentArgument,
    path: PathArgument,
    after: Type.Optional(
      Type.String({ description: "The next of an earlier call.", maxLength: 1_024 }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  }),
  output: Type.Object({
    path: Type.String(),
    entries: Type.Array(FileSummary),
    is_truncated: Type.Boolean(),
    next: Type.Optional(Type.String({ description: "Pass it as after for what follows." })),
  }),
  run: async ({ workspace, path, after, limit = 200 }, context) => {
    const { agent } = await findAgent(workspace, context);
    const query = { path, limit: String(limit), ...(after === undefined ? {} : { after }) };
    const params = { agent: agent.id };
    const page = await context.api.call(listRoute, { params, query, signal: context.signal });
    return {
      path: clean(page.path),
      entries: page.entries.map(summaryOf),
      is_truncated: page.next !== undefined,
      ...(page.next === undefined ? {} : { next: page.next }),
    };
  },
});

export const readFile = defineTool({
  name: "read_file",
  stockName: "coder_workspace_read_file",
  title: "Read a file",
  description: `Read a text file of a workspace, at most ${maxReadBytes} bytes at a time.`,
  traits: reads,
  scopes,
  input: Type.Object({
    workspace: AgentArgument,
    path: PathArgument,
    offset: Type.Optional(
      Type.Integer({ description: "The first byte (default: 0).", minimum: 0 }),
    ),
    limit: Type.Optional(
      Type.Integer({
        description: "The maximum number of bytes.",
        minimum: 4,
        maximum: maxReadBytes,
      }),
    ),
  }),
  output: Type.Object({
    path: Type.String(),
    content: Type.String(),
    size: Type.Number({ description: "The size of the whole file in bytes." }),
    next_offset: Type.Number(),
    is_truncated: Type.Boolean({ description: "True if more follows at next_offset." }),
    is_exact: Type.Boolean({
      description:
        "False if control characters were left out, so that the text cannot be used to edit.",
    }),
    etag: Type.String({ description: "Pass it to edit_file to refuse a file that has changed." }),
  }),
  run: async ({ workspace, path, offset = 0, limit = maxReadBytes }, context) => {
    const { agent } = await findAgent(workspace, context);
    const { api, signal } = context;
    const params = { agent: agent.id };
    const file = await api.call(statFile, { params, query: { path }, signal });
    const query = { path, offset: String(offset), limit: String(limit) };
    const bytes = await api.download(readRoute, { params, query, signal });
    const text = decode(bytes, path);
    const nextOffset = offset + text.bytes;
    const content = clean(text.text);
    return {
      path: clean(file.path),
      content,
      size: file.size,
      next_offset: nextOffset,
      is_truncated: bytes.length === limit || nextOffset < file.size,
      is_exact: content === text.text,
      etag: file.etag,
    };
  },
});

export const writeFile = defineTool({
  name: "write_file",
  stockName: "coder_workspace_write_file",
  title: "Write a file",
  description: "Write a file of a workspace: all of it, or nothing. An existing file is replaced.",
  traits: { isReadOnly: false, isDestructive: true, isIdempotent: true },
  scopes,
  input: Type.Object({
    workspace: AgentArgument,
    path: PathArgument,
    content: Type.String({ maxLength: maxWriteChars }),
    mode: Type.Optional(
      Type.String({ description: "Permissions in octal, such as 755.", pattern: "^[0-7]{1,4}$" }),
    ),
    has_parents: Type.Optional(
      Type.Boolean({ description: "True to create the directories above." }),
    ),
  }),
  output: FileSummary,
  run: async ({ workspace, path, content, mode, has_parents = false }, context) => {
    const { agent } = await findAgent(workspace, context);
    const query = {
      path,
      ...(mode === undefined ? {} : { mode }),
      ...(has_parents ? { parents: "true" as const } : {}),
    };
    const written = await context.api.upload(writeRoute, {
      params: { agent: agent.id },
      query,
      bytes: new TextEncoder().encode(content),
      contentType: "application/octet-stream",
      signal: context.signal,
    });
    return summaryOf(written);
  },
});

export const editFile = defineTool({
  name: "edit_file",
  stockName: "coder_workspace_edit_file",
  title: "Edit a file",
  description: "Replace texts in a file of a workspace: all of them, or none.",
  traits: { isReadOnly: false, isDestructive: true, isIdempotent: false },
  scopes,
  input: Type.Object({
    workspace: AgentArgument,
    path: PathArgument,
    edits: Type.Array(
      Type.Object({
        search: Type.String({ minLength: 1, maxLength: maxWriteChars }),
        replace: Type.String({ maxLength: maxWriteChars }),
        replace_all: Type.Optional(
          Type.Boolean({
            description: "True to replace every occurrence (default: there must be one).",
          }),
        ),
      }),
      { minItems: 1, maxItems: 256 },
    ),
    etag: Type.Optional(Type.String({ description: "The etag of read_file.", maxLength: 256 })),
  }),
  output: Type.Object({
    path: Type.String(),
    diff: Type.String({ description: "A unified diff; empty if it would be too long." }),
    etag: Type.String(),
  }),
  run: async ({ workspace, path, edits, etag }, context) => {
    const { agent } = await findAgent(workspace, context);
    const body = { path, edits, ...(etag === undefined ? {} : { if_match: etag }) };
    const params = { agent: agent.id };
    const done = await context.api.call(editRoute, { params, body, signal: context.signal });
    return { path: clean(done.file.path), diff: clean(done.diff), etag: done.file.etag };
  },
});

export const searchFiles = defineTool({
  name: "search_files",
  title: "Search files",
  description: "Search the files of a workspace for a regular expression, as ripgrep does.",
  traits: reads,
  scopes,
  input: Type.Object({
    workspace: AgentArgument,
    path: PathArgument,
    pattern: Type.String({ description: "In the syntax of RE2.", minLength: 1, maxLength: 1_024 }),
    is_literal: Type.Optional(Type.Boolean({ description: "True if the pattern is plain text." })),
    ignore_case: Type.Optional(Type.Boolean()),
    globs: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
        description: "Search only these, such as *.ts; leave out those after !.",
        maxItems: 32,
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  }),
  output: Type.Object({
    matches: Type.Array(
      Type.Object({ path: Type.String(), line: Type.Integer(), text: Type.String() }),
    ),
    is_truncated: Type.Boolean(),
  }),
  run: async (
    { workspace, path, pattern, is_literal, ignore_case, globs, limit = 100 },
    context,
  ) => {
    const { agent } = await findAgent(workspace, context);
    const found = await context.api.call(searchRoute, {
      params: { agent: agent.id },
      body: {
        path,
        pattern,
        limit,
        ...(is_literal === undefined ? {} : { literal: is_literal }),
        ...(ignore_case === undefined ? {} : { ignore_case }),
        ...(globs === undefined ? {} : { globs }),
      },
      signal: context.signal,
    });
    return {
      matches: found.matches.map((match) => ({
        path: clean(match.path),
        line: match.line,
        text: clean(match.text),
      })),
      is_truncated: found.truncated_by !== undefined,
    };
  },
});

function summaryOf({ path, type, size, mode, modified_at }: FileEntry): Static<typeof FileSummary> {
  return { path: clean(path), type, size, mode: mode.toString(8), modified_at };
}

function clean(text: string): string {
  return printableText(text, { colors: false });
}

/** The most bytes of a character of UTF-8 that may be cut off at the end of a part. */
const maxCutBytes = 3;

/** Decodes a part of a text file, up to its last whole character. Throws `ToolError` for anything that is not text. */
function decode(
  bytes: Uint8Array,
  path: string,
): { readonly text: string; readonly bytes: number } {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let cut = 0; cut <= Math.min(maxCutBytes, bytes.length); cut += 1) {
    try {
      const whole = bytes.subarray(0, bytes.length - cut);
      const text = decoder.decode(whole);
      if (!text.includes("\u0000")) return { text, bytes: whole.length };
    } catch {
      // The part may end within a character.
    }
  }
  throw new ToolError(`${path} is not a text file`);
}
