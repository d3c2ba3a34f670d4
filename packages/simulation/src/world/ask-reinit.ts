import { abortable } from "@slipway/runtime";
import { type ReinitAnswer, ReinitError } from "@slipway/sdk/agent";

import type { Life } from "../engine/life.ts";
import type { Setting } from "./setting.ts";

/** Makes one request for `/reinit`, up to its answer; rejects only with the signal's reason. */
export async function askReinit(
  setting: Setting,
  life: Life,
  { token, waits }: { readonly token: string; readonly waits: boolean },
  signal: AbortSignal,
): Promise<ReinitAnswer> {
  signal.throwIfAborted();
  const request = { type: "reinit", token, waits } as const;
  const end = setting.connect(life, request);
  const answer = Promise.withResolvers<ReinitAnswer>();
  let isOpen = false;
  let deadline: Disposable | undefined;
  const over = (reason: string): ReinitAnswer =>
    isOpen ? { kind: "ended", reason } : failed(reason);
  const wait = (): void => {
    deadline?.[Symbol.dispose]();
    const { readDeadlineMs } = setting.rules.agent;
    if (!Number.isFinite(readDeadlineMs)) return;
    deadline = life.after(readDeadlineMs, () => answer.resolve(over("silence")));
  };
  wait();
  end.receive((message) => {
    wait();
    switch (message.type) {
      case "status":
        isOpen = message.status === 200;
        if (message.status !== 200) answer.resolve(refusals[message.status]);
        break;
      case "frame": {
        const { workspaceId, ownerId } = message;
        answer.resolve({
          kind: "event",
          event: { workspaceId, ownerId, reason: "prebuild_claimed" },
        });
        break;
      }
      case "ping":
      case "answer":
      case "failure":
        break;
    }
  });
  end.closed.addEventListener("abort", () => answer.resolve(over("connection lost")));
  try {
    return await abortable(answer.promise, signal);
  } finally {
    deadline?.[Symbol.dispose]();
    end.close();
  }
}

const refusals: Readonly<Record<401 | 409 | 500, ReinitAnswer>> = {
  401: { kind: "unauthorized" },
  409: { kind: "not-a-prebuild", message: "not a prebuild" },
  500: failed("status 500"),
};

function failed(message: string): ReinitAnswer {
  return { kind: "failed", error: new ReinitError(message) };
}
