import type { Life } from "../engine/life.ts";
import type { ReplicaHints } from "../network/hints.ts";
import type { ServerEnd } from "../network/link.ts";
import type { Request } from "../network/messages.ts";
import type { Listener } from "../network/network.ts";
import type { Compute } from "./compute.ts";
import { runReconciler } from "./run-reconciler.ts";
import { runWorker } from "./run-worker.ts";
import { serveApi } from "./serve-api.ts";
import { serveReinit } from "./serve-reinit.ts";
import { serveRpc } from "./serve-rpc.ts";
import { ServerProcess } from "./server-process.ts";
import type { Setting } from "./setting.ts";

/** A sequence of server processes in the same place. */
export class Replica implements Listener {
  readonly #setting: Setting;
  readonly #compute: Compute;
  readonly #name: string;
  #process: ServerProcess;

  constructor(setting: Setting, compute: Compute, index: number) {
    this.#setting = setting;
    this.#compute = compute;
    this.#name = `server-${index + 1}`;
    this.#process = this.#start();
  }

  get life(): Life {
    return this.#process.life;
  }

  get hints(): ReplicaHints {
    return this.#process.hints;
  }

  /** Ends the process immediately: none of its work continues. */
  crash(): void {
    this.#setting.trace.add(this.#name, () => "crashes");
    this.life.end();
  }

  restart(): void {
    if (this.life.isAlive) return;
    this.#setting.trace.add(this.#name, () => "starts");
    this.#process = this.#start();
  }

  accept(request: Request, end: ServerEnd): void {
    const server = this.#process;
    // A failure is answered as a server would, and otherwise ignored.
    void serve(server, request, end).catch(() => server.refuse(end, 500));
  }

  #start(): ServerProcess {
    const server = new ServerProcess(this.#setting, this.#name);
    server.life.after(0, () => {
      void runWorker(server, this.#compute);
      void runReconciler(server);
    });
    return server;
  }
}

async function serve(server: ServerProcess, request: Request, end: ServerEnd): Promise<void> {
  switch (request.type) {
    case "reinit":
      return serveReinit(server, request, end);
    case "rpc":
      return serveRpc(server, request, end);
    case "api":
      return serveApi(server, request.call, end);
  }
}
