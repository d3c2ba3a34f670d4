import { constants } from "node:fs";

import { maxEditBytes } from "@slipway/api/agents/request-limits";

import { fileTurns } from "../process/turns.ts";
import { etagOf } from "./describe-file.ts";
import { applyEdit, type TextEdit } from "./edit-text.ts";
import { FileError } from "./errors.ts";
import { openRegular } from "./open-file.ts";
import { anyBytes, pathText } from "./paths.ts";
import { followLinks, replaceContent } from "./write-file.ts";

/** The maximum time for a diff; one that takes longer is left out. */
const diffMs = 1_000;
/** The maximum number of lines in which a diff may differ. */
const maxDiffLines = 2_000;

/** The outcome of edits that have not been written. */
export interface EditedFile {
  /** The path of the file itself, behind links. */
  readonly target: Buffer;
  readonly etag: string;
  /** The text before and after, a character for each byte. */
  readonly before: string;
  readonly after: string;
}

/** Applies edits, one after the other, to the content of a file. Throws `FileError`, and the errors of the system. */
export async function editContent(
  path: Buffer,
  edits: readonly TextEdit[],
  owner: object,
): Promise<EditedFile> {
  const target = await fileTurns.run(owner, () => followLinks(path));
  const { before, etag } = await readText(target, owner);
  let after = before;
  for (const { search, replace, replaceAll } of edits) {
    after = applyEdit(after, {
      search: bytesText(search),
      replace: bytesText(replace),
      replaceAll,
    });
    if (after.length > maxEditBytes) throw tooLarge(path);
    await laterTurn();
  }
  return { target, etag, before, after };
}

/** Writes edits, unless the file has changed since it was read. */
export async function writeEdited(edited: EditedFile, owner: object): Promise<void> {
  await replaceContent(edited.target, contentOf(edited), {
    condition: { kind: "etag", etag: edited.etag },
    mode: undefined,
    modifiedAtMs: undefined,
    makesParents: false,
    followsLinks: true,
    owner,
  });
}

/** Resolves to a unified diff; empty if there is no difference, or too much of it. */
export async function diffOf({ target, before, after }: EditedFile): Promise<string> {
  if (before === after) return "";
  const { createTwoFilesPatch } = await import("diff");
  const name = pathText(target);
  const options = { context: 3, maxEditLength: maxDiffLines, timeout: diffMs };
  const [old, changed] = [before, after].map((text) => Buffer.from(text, anyBytes).toString());
  return createTwoFilesPatch(name, name, old ?? "", changed ?? "", "", "", options) ?? "";
}

async function readText(path: Buffer, owner: object): Promise<Pick<EditedFile, "before" | "etag">> {
  return fileTurns.run(owner, async () => {
    const { file, stats } = await openRegular(path, constants.O_RDONLY);
    try {
      if (stats.size > maxEditBytes) throw tooLarge(path);
      const bytes = await file.readFile();
      return { before: bytes.toString(anyBytes), etag: etagOf(stats) };
    } finally {
      await file.close();
    }
  });
}

async function* contentOf({ after }: EditedFile): AsyncGenerator<Uint8Array> {
  yield Buffer.from(after, anyBytes);
}

function bytesText(text: string): string {
  return Buffer.from(text).toString(anyBytes);
}

function tooLarge(path: Buffer): FileError {
  return new FileError("too-large", `${pathText(path)} has more than ${maxEditBytes} bytes`);
}

function laterTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
