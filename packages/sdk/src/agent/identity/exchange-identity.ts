import { messageOf } from "../error-body.ts";
import { DialError, IdentityError } from "../errors.ts";
import { explainFailure } from "../explain-failure.ts";
import { cloudNames } from "./instance-identity.ts";
import type { Cloud, InstanceIdentity } from "./instance-identity.ts";
import { requestText } from "./request-text.ts";
import type { TextResponse } from "./request-text.ts";

export interface ExchangeTarget {
  readonly serverUrl: string;
  /** Additional headers for the request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cloud: Cloud;
  /** The agent's name, where the instance has several. */
  readonly agentName: string | undefined;
}

/**
 * Exchanges the identity of the agent's instance for the agent's token at the server (docs/protocol/rest.md §3).
 * Rejects with `IdentityError` when the server refuses it, and with `DialError` when no server gives such an answer, or
 * the signal is aborted.
 */
export async function exchangeIdentity(
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

/** The statuses of a server that has looked at the identity. */
const refusals = new Set([400, 401, 403, 404, 409]);

function refusal({ status, text }: TextResponse, cloud: Cloud): DialError | IdentityError {
  const message = messageOf(text ?? "");
  if (message === undefined || !refusals.has(status)) {
    const more = message === undefined ? "" : `: ${message}`;
    return new DialError("http", `the server answered ${status}${more}`, { status });
  }
  return new IdentityError(
    `the server does not know this machine by its ${cloudNames[cloud]} identity (${status}: ${message}): see that the newest build of a workspace has an agent for this instance, or start the agent with CODER_AGENT_TOKEN`,
  );
}

/** Returns undefined for a text that is not a token, or that a header could not hold. */
function tokenOf(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    const token = "session_token" in parsed ? parsed.session_token : undefined;
    return typeof token === "string" && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
  } catch {
    // Not JSON: a proxy's page, perhaps. The error would reveal a part of it.
    return undefined;
  }
}
