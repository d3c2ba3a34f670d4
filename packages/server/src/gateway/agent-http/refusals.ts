import type { IncomingMessage } from "node:http";

import { printableLine, readBounded } from "@slipway/runtime";

import {
  Conflict,
  Forbidden,
  Gone,
  Invalid,
  NoSpace,
  NotFound,
  PreconditionFailed,
  RateLimited,
  type Refusal,
  type RefusalFacts,
  TooLarge,
  Unavailable,
  Unprocessable,
  Unreachable,
} from "../../platform/errors/errors.ts";

/** The maximum size of the body of a refusal, in bytes; agents are not trusted. */
const maxBodyBytes = 64 * 1024;
/** The maximum number of characters of an agent's text that reach a user. */
const maxTextLength = 1_000;

type RefusalClass = new (
  message: string,
  options: { readonly detail?: string; readonly facts: RefusalFacts },
) => Refusal;

const classes: Readonly<Record<number, RefusalClass>> = {
  400: Invalid,
  403: Forbidden,
  404: NotFound,
  409: Conflict,
  410: Gone,
  412: PreconditionFailed,
  413: TooLarge,
  422: Unprocessable,
  429: RateLimited,
  503: Unavailable,
  507: NoSpace,
};

/** Reads an answer that is not a success, to its end, as the refusal that it means for the user. */
export async function readRefusal(answer: IncomingMessage): Promise<Refusal> {
  const { statusCode: status = 0 } = answer;
  const body = await readBounded(answer, maxBodyBytes);
  const { message: text, detail: more, code } = parseObject(body?.toString() ?? "");
  const message = cleanText(text) ?? `The agent answered ${status}.`;
  const detail = cleanText(more);
  const Class = classes[status];
  if (Class === undefined) {
    return new Unreachable("The agent failed to answer.", {
      detail: [`it answered ${status}`, message, detail ?? []].flat().join(": "),
      facts: { code: "agent-failed", retryable: false, admitted: "unknown" },
    });
  }
  const facts = { retryable: retryable.has(status), admitted: "no" } as const;
  return new Class(message, {
    ...(detail === undefined ? {} : { detail }),
    facts: { ...facts, code: isCode(code) ? code : "refused" },
  });
}

/** The statuses after which the same request may succeed later. */
const retryable: ReadonlySet<number> = new Set([429, 503]);

function isCode(code: unknown): code is string {
  return typeof code === "string" && /^[a-z][a-z-]{0,39}$/.test(code);
}

interface RefusalBody {
  readonly message?: unknown;
  readonly detail?: unknown;
  readonly code?: unknown;
}

function parseObject(body: string): RefusalBody {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    // Another server's page, or nothing.
    return {};
  }
}

/** Returns a text for a user, cut and without control characters; undefined if there is none. */
function cleanText(text: unknown): string | undefined {
  if (typeof text !== "string" || text === "") return undefined;
  return printableLine(text.slice(0, maxTextLength));
}
