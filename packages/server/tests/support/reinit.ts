import type { ExternalAgent } from "@slipway/testkit";

/** A response to an agent's request for claims of its workspace, as sent over the wire. */
export interface ReinitReader extends AsyncDisposable {
  readonly status: number;
  readonly headers: Headers;
  /** Reads until the text contains `wanted`; rejects if the response ends before. */
  until(wanted: string): Promise<string>;
  /** Reads until the response ends. */
  rest(): Promise<string>;
  /** Returns the text read so far. */
  text(): string;
}

/** Sends the request of an agent; `query` is `wait=true` for agents that handle repetitions. */
export async function openReinit(
  url: string,
  { token }: Pick<ExternalAgent, "token">,
  query = "wait=true",
): Promise<ReinitReader> {
  const abort = new AbortController();
  const response = await fetch(`${url}/api/v2/workspaceagents/me/reinit?${query}`, {
    headers: { "Coder-Session-Token": token },
    signal: abort.signal,
  });
  const chunks = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const readOne = async (): Promise<boolean> => {
    const { done = true, value = "" } = (await chunks?.read()) ?? {};
    text += value;
    return !done;
  };
  return {
    status: response.status,
    headers: response.headers,
    until: async (wanted) => {
      while (!text.includes(wanted)) {
        if (!(await readOne())) throw new Error(`the answer ended with ${JSON.stringify(text)}`);
      }
      return text;
    },
    rest: async () => {
      while (await readOne());
      return text;
    },
    text: () => text,
    [Symbol.asyncDispose]: async () => {
      abort.abort();
      await chunks?.cancel().catch(() => undefined);
    },
  };
}
