import { errorText, untrustedAuthorityHint, wantedCertificateHint } from "@slipway/runtime";
import { AnswerError, ApiError, ConnectError } from "@slipway/sdk/http";

import type { Output } from "../terminal/output.ts";
import { PromptCanceledError } from "../terminal/prompts.ts";
import { CommandError, InterruptError, OutputError, UsageError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { notFoundText, targetThing } from "./not-found.ts";
import { mayHaveArrived } from "./patient-read.ts";

/** An error as a message for people and an exit code for scripts. */
interface Explanation {
  readonly exitCode: number;
  /** Undefined to print nothing. */
  readonly text: string | undefined;
  /** The suggested next step. */
  readonly hint: string | undefined;
}

/** Translates anything that a command threw. `url` is the server it talked to. */
export function explain(error: unknown, url: string | undefined): Explanation {
  if (error instanceof UsageError || error instanceof CommandError) {
    return { exitCode: error.exitCode, text: causeText(error), hint: error.hint };
  }
  if (error instanceof InterruptError || error instanceof OutputError) {
    return { exitCode: error.exitCode, text: undefined, hint: undefined };
  }
  if (error instanceof PromptCanceledError) {
    return { exitCode: exitCodes.interrupted, text: undefined, hint: undefined };
  }
  if (error instanceof ApiError) return explainAnswer(error, url);
  if (error instanceof ConnectError) return explainConnect(error);
  if (error instanceof AnswerError) {
    const hint = "check that the address is that of a server, not of a page that stands before it";
    return { exitCode: exitCodes.failure, text: errorText(error), hint };
  }
  // Answers are not validated, as those of other versions differ harmlessly.
  const hint = error instanceof TypeError ? odd : undefined;
  return { exitCode: exitCodes.failure, text: errorText(error), hint };
}

const odd =
  "the server may have sent an answer of an unknown form; otherwise this is a bug of slipway";

function causeText(error: Error): string {
  return error.cause === undefined ? error.message : errorText(error);
}

/** The server's message for everything unknown or invisible; a stock server has the same one. */
const generalNotFound = "Resource not found or you do not have access to this resource";

function explainAnswer(error: ApiError, url: string | undefined): Explanation {
  const { status, body } = error;
  const text = [
    body.message,
    ...(body.detail === undefined ? [] : [body.detail]),
    ...(body.validations ?? []).map(({ field, detail }) => `  ${field}: ${detail}`),
  ].join("\n");
  switch (status) {
    case 401:
      return {
        exitCode: exitCodes.unauthorized,
        text,
        hint: `log in with: slipway login ${url ?? "<url>"}`,
      };
    case 403:
      return {
        exitCode: exitCodes.unauthorized,
        text,
        hint: "see the logged-in user with: slipway whoami",
      };
    case 404: {
      const isGeneral = body.message === generalNotFound;
      const thing = error.target === undefined ? undefined : targetThing(error.target);
      const named = isGeneral && thing !== undefined ? notFoundText(thing) : text;
      return { exitCode: exitCodes.notFound, text: named, hint: undefined };
    }
    case 429:
      return { exitCode: exitCodes.failure, text, hint: "try again in a minute" };
    default:
      return {
        exitCode: exitCodes.failure,
        text,
        hint: status >= 500 ? "see the server's log for details" : undefined,
      };
  }
}

function explainConnect(error: ConnectError): Explanation {
  const hint = mayHaveArrived(error)
    ? "the server may be restarting; the request may have taken effect, so look before you repeat it"
    : (untrustedAuthorityHint(error) ??
      wantedCertificateHint(error) ??
      "check that the server is running and the address is correct; use another one with: slipway login <url>");
  return { exitCode: exitCodes.failure, text: errorText(error), hint };
}

/** Prints an error and the suggested next step. */
export function printError(err: Output, { text, hint }: Pick<Explanation, "text" | "hint">): void {
  if (text !== undefined) err.line(`${err.colors.red("error:")} ${text}`);
  if (hint !== undefined) err.line(hint);
}
