import { abortable, type Clock, withDeadline } from "@slipway/runtime";

import { DialError, IdentityError } from "../errors.ts";
import { explainFailure, messageOf } from "../explain-failure.ts";
import {
  fetchIdentity,
  type IdentityIssuer,
  type InstanceIdentity,
  issuerNames,
} from "./instance-identity.ts";
import { requestText, type TextResponse } from "./request-text.ts";

export interface InstanceCredentialOptions extends ExchangeTarget {
  /** The address of the cloud's metadata service, or the path of a pod's token. */
  readonly metadataUrl: string;
  readonly clock: Clock;
}

/** The time limit of one exchange, from the first question to the metadata service to the server's answer. */
export const maxExchangeMs = 10_000;

interface TokenExchange {
  readonly token: Promise<string>;
  readonly abandoned: AbortController;
  waiting: number;
}

/** The credential of an agent that authenticates by its instance: its token, and the means to get the next one. */
export class InstanceCredential {
  readonly #options: InstanceCredentialOptions;
  #token: string | undefined;
  #running: TokenExchange | undefined;

  constructor(options: InstanceCredentialOptions) {
    this.#options = options;
  }

  /** Returns the newest token; undefined before the first. It survives failed exchanges. */
  current(): string | undefined {
    return this.#token;
  }

  /**
   * Exchanges the instance's identity for a token. Concurrent callers share one exchange, which ends early when the
   * last of them has left. Rejects with `IdentityError` or `DialError`, or the signal's reason.
   */
  async refresh(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    // A pod runs the same agent all its life; an instance may get another one.
    if (this.#options.cloud === "kubernetes" && this.#token !== undefined) return this.#token;
    const exchange = (this.#running ??= this.#begin());
    exchange.waiting += 1;
    try {
      return await abortable(exchange.token, signal);
    } finally {
      exchange.waiting -= 1;
      if (exchange.waiting === 0) {
        exchange.abandoned.abort();
        if (this.#running === exchange) this.#running = undefined;
      }
    }
  }

  #begin(): TokenExchange {
    const abandoned = new AbortController();
    return { token: this.#exchange(abandoned.signal), abandoned, waiting: 0 };
  }

  async #exchange(abandoned: AbortSignal): Promise<string> {
    const { cloud, metadataUrl, clock } = this.#options;
    const exchange = async (late: AbortSignal): Promise<string> => {
      const either = AbortSignal.any([abandoned, late]);
      const identity = await fetchIdentity(cloud, metadataUrl, either);
      this.#token = await exchangeIdentity(this.#options, identity, either);
      return this.#token;
    };
    return withDeadline(maxExchangeMs, clock, exchange, "answer");
  }
}

interface ExchangeTarget {
  readonly serverUrl: string;
  /** Additional headers for the request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cloud: IdentityIssuer;
  /** The agent's name, if the instance has several. */
  readonly agentName: string | undefined;
}

/**
 * Exchanges the identity of the agent's instance for the agent's token at the server (docs/protocol/rest.md §3).
 * Rejects with `IdentityError` when the server refuses it, and with `DialError` when no server gives such an answer, or
 * the signal is aborted.
 */
async function exchangeIdentity(
  { serverUrl, headers, cloud, agentName }: ExchangeTarget,
  identity: InstanceIdentity,
  signal: AbortSignal,
): Promise<string> {
  const url = new URL(
    `${serverUrl.replace(/\/+$/, "")}/api/v2/workspaceagents/${cloud}-instance-identity`,
  );
  const answer = await requestText(
    url,
    {
      method: "POST",
      headers: { ...headers, Accept: "application/json", "Content-Type": "application/json" },
      body: JSON.stringify({ ...identity, agent_name: agentName }),
    },
    signal,
  ).catch(async (error: unknown) => {
    if (!signal.aborted) throw await explainFailure(error, url, signal);
    throw new DialError("http", `no HTTP answer from ${url.host}`, { cause: signal.reason });
  });
  if (answer.status !== 200) throw refusal(answer, cloud);
  const token = tokenOf(answer.text ?? "");
  if (token !== undefined) return token;
  throw new DialError("http", "the server answered 200 without a token", { status: 200 });
}

/** The statuses of a server that has checked the identity. */
const refusals = new Set([400, 401, 403, 404, 409]);

function refusal({ status, text }: TextResponse, cloud: IdentityIssuer): DialError | IdentityError {
  const message = messageOf(text ?? "");
  if (message === undefined || !refusals.has(status)) {
    const more = message === undefined ? "" : `: ${message}`;
    return new DialError("http", `the server answered ${status}${more}`, { status });
  }
  return new IdentityError(
    `the server does not know this machine by its ${issuerNames[cloud]} identity (${status}: ${message}): see that the newest build of a workspace has an agent for this instance, or start the agent with CODER_AGENT_TOKEN`,
  );
}

/** Returns the token in an answer; undefined if there is none, or none that a header can hold. */
function tokenOf(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    const token = "session_token" in parsed ? parsed.session_token : undefined;
    return typeof token === "string" && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
  } catch {
    // Not JSON, perhaps a proxy's page. The error would reveal a part of it.
    return undefined;
  }
}
