import type { ExternalAgent } from "@slipway/testkit";

/** An answer to an agent that asked whether its workspace was claimed, as it came over the wire. */
export interface ReinitReader extends AsyncDisposable {
  readonly status: number;
  readonly headers: Headers;
  /** Reads until the text holds `wanted`; rejects when the answer ends before. */
  until(wanted: string): Promise<string>;
  /** Reads until the answer ends. */
  rest(): Promise<string>;
  /** What has been read so far. */
  text(): string;
}

/** Asks as an agent does; `query` is `wait=true` for those that know repetitions. */
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
