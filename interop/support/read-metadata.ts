import type { AgentMetadata } from "@slipway/api/agents/metadata-routes";
import { watchAgentMetadata } from "@slipway/api/agents/metadata-routes";
import type { ApiClient } from "@slipway/sdk/http";

/** Reads the values an agent has reported, from the start of their stream. */
export async function readMetadata(
  client: ApiClient,
  agent: string,
): Promise<readonly AgentMetadata[]> {
  const abort = new AbortController();
  const url = client.url(watchAgentMetadata, { params: { agent } });
  const response = await fetch(url, { headers: client.headers, signal: abort.signal });
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (dataOf(text) !== undefined) break;
  }
  abort.abort();
  const data = dataOf(text);
  if (data === undefined) throw new Error(`no metadata: ${response.status} ${text}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an answer is taken as the contract says
  return JSON.parse(data) as AgentMetadata[];
}

function dataOf(text: string): string | undefined {
  return /event: data\ndata: (.*)\n\n/.exec(text)?.[1];
}
