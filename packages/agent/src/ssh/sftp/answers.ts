import type { Stats } from "node:fs";

import { SftpStatus } from "./errors.ts";
import { encodeAttributes, text, uint32, uint64 } from "./fields.ts";
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

/** The room before the payload of an answer, for its length, its type and its id. */
export const answerHeadBytes = 9;

/** An answer to a request, without its id. */
export interface Answer {
  readonly type: number;
  /** The payload after `answerHeadBytes` of room for the sender. */
  readonly packet: Buffer;
}

function answerOf(type: number, ...parts: readonly Buffer[]): Answer {
  return { type, packet: Buffer.concat([Buffer.alloc(answerHeadBytes), ...parts]) };
}

/** A name, and its file's status if known. */
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
  return answerOf(SftpAnswer.name, uint32(files.length), ...entries);
}

export function attributes(stats: Stats): Answer {
  return answerOf(SftpAnswer.attributes, encodeAttributes(attributesOf(stats)));
}

export function handleAnswer(name: string): Answer {
  return answerOf(SftpAnswer.handle, text(name));
}

/** Encodes a status, with its text for people and no language. */
export function statusAnswer(status: SftpStatus, message: string): Answer {
  return answerOf(SftpAnswer.status, uint32(status), text(message), text(""));
}

export function ok(): Answer {
  return statusAnswer(SftpStatus.ok, "");
}

/** Answers an extension's request with numbers of 64 bits. */
export function numbers(values: readonly number[]): Answer {
  return answerOf(SftpAnswer.extended, ...values.map(uint64));
}

/** Answers with success once the action is done. */
export async function done(action: Promise<unknown>): Promise<Answer> {
  await action;
  return ok();
}
