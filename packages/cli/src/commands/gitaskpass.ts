import { getAgentExternalAuth } from "@slipway/api/agents/owner-secret-routes";
import type { QueryOf, ResponseOf } from "@slipway/api/contract/route";
import { Backoff, type Clock } from "@slipway/runtime";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { UsageError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import type { Needs } from "../command/needs.ts";
import { connectAsAgent } from "../resources/inside/agent-client.ts";
import { agentFlags } from "../resources/inside/agent-flags.ts";

export const command = defineCommand({
  summary: "answer Git with the workspace owner's token, as its GIT_ASKPASS",
  description:
    "Answer Git's prompt for a user name or password with the workspace owner's token for that host. Workspaces " +
    "have it as their GIT_ASKPASS. If the owner has to log in to the host first, the command prints the login URL and " +
    "waits. Exits with 1 for a host that the server has no tokens for, so that Git asks the user.",
  arguments: { prompt: { summary: "Git's question", required: true } },
  flags: agentFlags,
  examples: [
    {
      line: `slipway gitaskpass "Username for 'https://github.com': "`,
      summary: "what Git runs",
    },
  ],
});

type Answer = ResponseOf<typeof getAgentExternalAuth>;

/** The delays between attempts to wait for the login, as in stock helpers. */
const policy = { firstMs: 250, maxMs: 10_000, factor: 2, jitter: 0.2 };

export async function run(
  options: OptionsOf<typeof command>,
  {
    terminal,
    environment,
    clock,
    signal,
  }: Pick<Needs, "terminal" | "environment" | "clock" | "signal">,
): Promise<number> {
  const prompt = readGitPrompt(options.prompt);
  if (prompt === undefined) {
    throw new UsageError(`not a question of Git for an http or https address: ${options.prompt}`);
  }
  const client = await connectAsAgent(options, { environment, clock, signal });
  const match = { id: "", match: prompt.url };
  let answer = await ask(client, match, signal).catch(undefinedIfUnknown);
  if (answer === undefined) {
    terminal.err.line(`the server has no tokens for ${prompt.url}`);
    if (prompt.url.startsWith("http:")) {
      terminal.err.line("tokens are sent over https only: change the remote to https://");
    }
    return exitCodes.failure;
  }
  if (answer.url !== "") {
    terminal.err.line(`log in to let Git in: ${answer.url}`);
    answer = await waitForLogin(client, match, { clock, signal });
  }
  terminal.out.line(valueFor(prompt, answer));
  return exitCodes.ok;
}

/** Returns the value that Git asked for (docs/protocol/agent.md §9.1). */
function valueFor({ wants, hasUser }: GitPrompt, { username, password }: Answer): string {
  if (password === "") return username;
  return wants === "password" || hasUser ? password : username;
}

async function ask(
  client: ApiClient,
  query: QueryOf<typeof getAgentExternalAuth>,
  signal: AbortSignal,
): Promise<Answer> {
  return client.call(getAgentExternalAuth, { query, signal });
}

/** Returns undefined for a host without a provider; throws all other errors. */
function undefinedIfUnknown(error: unknown): undefined {
  if (error instanceof ApiError && error.status === 404) return undefined;
  throw error;
}

async function waitForLogin(
  client: ApiClient,
  match: QueryOf<typeof getAgentExternalAuth>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Answer> {
  const backoff = new Backoff(policy);
  for (;;) {
    try {
      const answer = await ask(client, { ...match, listen: "true" }, signal);
      if (answer.url === "") return answer;
    } catch (error) {
      // The server may be away for a while, and a request times out without a login.
      if (signal.aborted || (error instanceof ApiError && error.status === 404)) throw error;
    }
    await clock.sleep(backoff.next(), signal);
  }
}

/** The question of Git: the user's name or their password for a repository. */
interface GitPrompt {
  readonly wants: "username" | "password";
  /** The address of the repository's host, without a user. */
  readonly url: string;
  /** True if the address names a user, so that Git asks only for the password. */
  readonly hasUser: boolean;
}

const form = /^(Username|Password) for '([^']*)'/;

/** Reads Git's question (docs/protocol/agent.md §9.1); undefined for any other question. */
export function readGitPrompt(text: string): GitPrompt | undefined {
  const [, word, address = ""] = form.exec(text) ?? [];
  const url = URL.parse(address);
  if (word === undefined || url === null) return undefined;
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  const hasUser = url.username !== "";
  url.username = "";
  url.password = "";
  const isBare = url.pathname === "/" && !address.endsWith("/");
  const clean = url.toString();
  return {
    wants: word === "Username" ? "username" : "password",
    url: isBare ? clean.slice(0, -1) : clean,
    hasUser,
  };
}
