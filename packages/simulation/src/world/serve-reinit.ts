import { silentLogger } from "@slipway/runtime";
import { followReinit, type ReinitView } from "@slipway/server/claims";

import type { ServerEnd } from "../network/link.ts";
import type { ServerProcess } from "./server-process.ts";

/** The interval of a stream's pings, in milliseconds. */
const pingMs = 15_000;

/** Answers an agent on `/reinit` with the product's own loop, as its route does. */
export async function serveReinit(
  server: ServerProcess,
  { token, waits }: { readonly token: string; readonly waits: boolean },
  end: ServerEnd,
): Promise<void> {
  const { model, life, trace } = server;
  const { rules } = model;
  const openedMs = life.monotonic();
  let first: ReinitView | undefined;
  let isHinted = false;
  const look = () =>
    model.db.query(life, (trx) =>
      rules.look(model.view(trx), token, trx.nowMs, { first, isHinted }),
    );
  const view = await look();
  first = view;
  if (view.type === "gone") return server.refuse(end, 401);
  const { agentId, workspaceId, standing } = view;
  const stream = { token, workspaceId, life };
  server.setting.streams.add(stream);
  using _ = { [Symbol.dispose]: () => void server.setting.streams.delete(stream) };
  const hints = rules.streamHints(server.hints, life);
  const answers = followReinit(
    {
      hints: {
        subscribe: (topic, listener) =>
          hints.subscribe(topic, () => {
            isHinted = true;
            listener(topic);
          }),
      },
      readView: look,
      decide: rules.decideReinit,
      markSent: (id) => model.db.query(life, (trx) => rules.markReinitSent(model.tables, trx, id)),
      clock: rules.streamClock(life),
      random: () => server.random.next(),
      logger: silentLogger,
    },
    { agentId, workspaceId, wasClaiming: standing === "claiming", waits },
    end.closed,
  );
  for await (const answer of answers) {
    trace.add(life.name, () => `reinit stream of ${token}: ${answer.type}`, workspaceId);
    switch (answer.type) {
      case "refuse":
        server.noteAnswer({ kind: "refused", token });
        return server.refuse(end, 409);
      case "open":
        end.send({ type: "status", status: 200 });
        end.send({ type: "ping" });
        void keepPinging(server, end);
        break;
      case "frame":
        server.noteAnswer({
          ...answer,
          kind: "frame",
          token,
          ageMs: life.monotonic() - openedMs,
          isOlderThanClaim:
            standing === "prebuild" && model.committed.agentOfToken(token)?.id !== agentId,
        });
        end.send({
          ...answer,
          ownerId: rules.namesOwner(() => server.random.next()) ? answer.ownerId : undefined,
        });
        if (!rules.endsAfterFrame) return;
        break;
      case "end":
        server.noteAnswer({ kind: "ended", token });
        break;
    }
  }
  end.close();
}

async function keepPinging({ life }: ServerProcess, end: ServerEnd): Promise<void> {
  while (!end.closed.aborted) {
    await life.sleep(pingMs, end.closed).catch(() => undefined);
    end.send({ type: "ping" });
  }
}
