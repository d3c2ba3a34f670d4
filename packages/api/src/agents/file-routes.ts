import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { type Infer, oneOf, Timestamp } from "../contract/scalars.ts";
import { maxMatches } from "./request-limits.ts";

/*
 * Files of a workspace, as the user of its agent may use them. The agent has the same routes below `/api/v0`, with the
 * same queries, bodies and answers, and its own limits.
 */

/** The maximum length of a path, in characters. */
const maxPathLength = 4_096;
/** The requests of one user to the files of one agent per minute and route: programs read and write many small ones. */
const requestsPerMinute = 6_000;

const tree = "/workspaceagents/:agent/files";
const params = Type.Object({ agent: Type.String() });
const scopes = ["workspace:ssh"] as const;
/** An absolute path; `~` and `~/…` begin in the home directory of the agent's user. */
const Path = Type.String({ minLength: 1, maxLength: maxPathLength });
const Switch = Type.Optional(oneOf("true", "false"));
const Whole = Type.String({ pattern: "^[0-9]{1,15}$" });
/** Permissions in octal, such as `644`. */
const Mode = Type.String({ pattern: "^[0-7]{1,4}$" });

export const FileType = oneOf("file", "directory", "symlink", "other");
export type FileType = Infer<typeof FileType>;

export const FileEntry = Type.Object({
  /** The name; characters replace bytes that are not UTF-8. */
  name: Type.String(),
  /** The absolute path. */
  path: Type.String(),
  type: FileType,
  /** The size in bytes; 0 for files of `/proc` and the like, whatever they contain. */
  size: Type.Number(),
  /** The permissions, without the type. */
  mode: Type.Integer(),
  modified_at: Timestamp,
  uid: Type.Integer(),
  gid: Type.Integer(),
  /** Changes with the content: for `If-Match`. */
  etag: Type.String(),
  /** The target of a symbolic link. */
  link_target: Type.Optional(Type.String()),
});
export type FileEntry = Infer<typeof FileEntry>;

export const FilePage = Type.Object({
  path: Type.String(),
  /** In the order of their names. */
  entries: Type.Array(FileEntry),
  /** The `after` of the next page; absent on the last one. */
  next: Type.Optional(Type.String()),
});
export type FilePage = Infer<typeof FilePage>;

export const listFiles = defineRoute({
  method: "GET",
  path: tree,
  summary: "List a directory of a workspace, in pages",
  scopes,
  params,
  query: Type.Object({
    path: Path,
    /** The `next` of the page before. */
    after: Type.Optional(Type.String({ maxLength: 1_024 })),
    /** The maximum number of entries, up to 1,000 (default: 1,000). */
    limit: Type.Optional(Whole),
  }),
  requestsPerMinute,
  response: FilePage,
});

export const statFile = defineRoute({
  method: "GET",
  path: `${tree}/stat`,
  summary: "Describe a file of a workspace",
  scopes,
  params,
  /** `follow=false` describes a symbolic link rather than its target. */
  query: Type.Object({ path: Path, follow: Switch }),
  requestsPerMinute,
  response: FileEntry,
});

export const readFile = defineRoute({
  method: "GET",
  path: `${tree}/content`,
  summary: "Read a file of a workspace, or a part of it",
  scopes,
  kind: "bytes",
  params,
  /** With the header `If-Match`, a file that has changed answers 412. */
  query: Type.Object({ path: Path, offset: Type.Optional(Whole), limit: Type.Optional(Whole) }),
  requestsPerMinute,
  response: Type.Unknown(),
});

export const writeFile = defineRoute({
  method: "PUT",
  path: `${tree}/content`,
  summary: "Write a file of a workspace, all of it or from an offset",
  scopes,
  params,
  /**
   * Without an offset the file is replaced when all of the body has arrived, or not at all. With the header `If-Match`,
   * a file that has changed is left as it is, and with `If-None-Match: *` one that exists (412).
   */
  query: Type.Object({
    path: Path,
    /** Writes in place from this offset, which must be within the file, and cuts off what follows. */
    offset: Type.Optional(Whole),
    /** The permissions (default: those of the file that is replaced, or 644). */
    mode: Type.Optional(Mode),
    /** The time of the last change (default: now). */
    modified_at: Type.Optional(Timestamp),
    /** Creates the directories above. */
    parents: Switch,
  }),
  bodyKind: "bytes",
  requestsPerMinute,
  response: FileEntry,
});

export const FileEdit = Type.Object({
  search: Type.String({ minLength: 1 }),
  replace: Type.String(),
  /** Without it, the text must occur once. */
  replace_all: Type.Optional(Type.Boolean()),
});
export type FileEdit = Infer<typeof FileEdit>;

export const editFile = defineRoute({
  method: "POST",
  path: `${tree}/edit`,
  summary: "Replace texts in a file of a workspace",
  scopes,
  params,
  body: Type.Object({
    path: Path,
    edits: Type.Array(FileEdit, { minItems: 1, maxItems: 256 }),
    /** The etag that the file must still have. */
    if_match: Type.Optional(Type.String({ maxLength: 256 })),
  }),
  maxBodyBytes: 4 * 1024 * 1024,
  requestsPerMinute,
  response: Type.Object({
    file: FileEntry,
    /** A unified diff; empty if it would be too long. */
    diff: Type.String(),
  }),
});

export const moveFile = defineRoute({
  method: "POST",
  path: `${tree}/move`,
  summary: "Move or rename a file or directory of a workspace",
  scopes,
  params,
  body: Type.Object({
    from: Path,
    to: Path,
    /** Replaces a file that exists (default: 409). */
    overwrite: Type.Optional(Type.Boolean()),
  }),
  requestsPerMinute,
  response: FileEntry,
});

export const removeFile = defineRoute({
  method: "POST",
  path: `${tree}/remove`,
  summary: "Remove a file or directory of a workspace",
  scopes,
  params,
  body: Type.Object({
    path: Path,
    /** Removes a directory with all that it contains (default: only an empty one). */
    recursive: Type.Optional(Type.Boolean()),
  }),
  requestsPerMinute,
  response: Type.Object({ removed: Type.Integer() }),
});

export const makeDirectory = defineRoute({
  method: "POST",
  path: `${tree}/directories`,
  summary: "Create a directory in a workspace",
  scopes,
  params,
  body: Type.Object({
    path: Path,
    /** Creates the directories above, and accepts one that exists. */
    parents: Type.Optional(Type.Boolean()),
    /** The permissions (default: 755). */
    mode: Type.Optional(Mode),
  }),
  requestsPerMinute,
  response: FileEntry,
});

export const FileMatch = Type.Object({
  path: Type.String(),
  /** The number of the line, from 1. */
  line: Type.Integer(),
  /** The line, cut if it is long. */
  text: Type.String(),
});
export type FileMatch = Infer<typeof FileMatch>;

export const FileSearch = Type.Object({
  /** The directory or file to search. */
  path: Path,
  /** A regular expression in the syntax of RE2, or a text with `literal`. */
  pattern: Type.String({ minLength: 1, maxLength: 1_024 }),
  literal: Type.Optional(Type.Boolean()),
  ignore_case: Type.Optional(Type.Boolean()),
  /** Searches only files whose path matches one of these, such as `*.{ts,js}`; those after `!` are left out. */
  globs: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 32 })),
  /** Searches hidden files as well, and those that ignore files such as `.gitignore` name. */
  all: Type.Optional(Type.Boolean()),
  /** The maximum number of matches, up to 5,000 (default: 500). */
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxMatches })),
});
export type FileSearch = Infer<typeof FileSearch>;

export const searchFiles = defineRoute({
  method: "POST",
  path: `${tree}/search`,
  summary: "Search the files of a workspace",
  scopes,
  params,
  body: FileSearch,
  response: Type.Object({
    matches: Type.Array(FileMatch),
    /** The limit that ended the search early; absent if it is complete. */
    truncated_by: Type.Optional(oneOf("matches", "bytes", "time")),
  }),
});

export const FileChange = Type.Object({
  /** `overflow`: changes were lost, and the watcher must look itself. */
  type: oneOf("created", "changed", "removed", "overflow"),
  path: Type.String(),
});
export type FileChange = Infer<typeof FileChange>;

export const watchFiles = defineRoute({
  method: "GET",
  path: `${tree}/watch`,
  summary: "Watch a file or directory of a workspace",
  scopes,
  kind: "socket",
  params,
  query: Type.Object({ path: Path, recursive: Switch }),
  /** An empty list first, once the watch has begun. */
  response: Type.Object({ changes: Type.Array(FileChange) }),
});

export const readArchive = defineRoute({
  method: "GET",
  path: `${tree}/archive`,
  summary: "Download a tree of files of a workspace as a tar",
  scopes,
  kind: "bytes",
  params,
  query: Type.Object({ path: Path }),
  response: Type.Unknown(),
});

export const writeArchive = defineRoute({
  method: "PUT",
  path: `${tree}/archive`,
  summary: "Unpack a tar into a directory of a workspace",
  scopes,
  params,
  /** The directory is created. `overwrite=false` refuses files that exist. */
  query: Type.Object({ path: Path, overwrite: Switch }),
  bodyKind: "bytes",
  response: Type.Object({
    files: Type.Integer(),
    directories: Type.Integer(),
    bytes: Type.Number(),
  }),
});
