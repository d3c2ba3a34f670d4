import type { Stats } from "node:fs";

import { SftpStatus } from "./errors.ts";
import { encodeAttributes, text, uint32 } from "./fields.ts";
import { attributesOf, longName } from "./file-attributes.ts";

/** The types of answers. */
export const SftpAnswer = {
  version: 2,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extended: 201,
} as const;

/** An answer to a request, without its id. */
export interface Answer {
  readonly type: number;
  readonly payload: Buffer;
}

/** A name, and what is known of its file. */
export interface NamedFile {
  readonly name: Buffer;
  readonly stats?: Stats;
}

export function names(files: readonly NamedFile[]): Answer {
  const entries = files.map(({ name, stats }) =>
    Buffer.concat([
      text(name),
      text(stats === undefined ? name : longName(name.toString(), stats)),
      stats === undefined ? uint32(0) : encodeAttributes(attributesOf(stats)),
    ]),
  );
  return { type: SftpAnswer.name, payload: Buffer.concat([uint32(files.length), ...entries]) };
}

export function attributes(stats: Stats): Answer {
  return { type: SftpAnswer.attributes, payload: encodeAttributes(attributesOf(stats)) };
}

export function handleAnswer(name: string): Answer {
  return { type: SftpAnswer.handle, payload: text(name) };
}

/** Encodes a status, with its text for people and no language. */
export function statusAnswer(status: SftpStatus, message: string): Answer {
  return {
    type: SftpAnswer.status,
    payload: Buffer.concat([uint32(status), text(message), text("")]),
  };
}

export const ok = statusAnswer(SftpStatus.ok, "");

/** Answers with success once the action is done. */
export async function done(action: Promise<unknown>): Promise<Answer> {
  await action;
  return ok;
}
