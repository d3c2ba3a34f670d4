import { RpcError, SessionClosedError } from "@slipway/rpc";
import { abortable, type Logger, Scope } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";
import { drpcCodeUnimplemented } from "@slipway/wire/drpc/rpc-error";

/** A task of the agent on each connection; its error ends the connection (docs/protocol/agent.md §2.3). */
export interface Routine {
  readonly name: string;
  /** True if it ends when the shutdown begins; otherwise it runs to the very end. */
  readonly endsAtShutdown: boolean;
  readonly run: (connection: AgentConnection, signal: AbortSignal) => Promise<void>;
}

export interface ServeOptions {
  /** Aborted once the shutdown has begun. */
  readonly stopping: AbortSignal;
  /** Aborted when the routines have nothing more to do, although the connection may continue. */
  readonly done: AbortSignal;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Runs all routines until `done`. Rejects with the reason if the connection ends, or one of them fails. */
export async function serveConnection(
  connection: AgentConnection,
  routines: readonly Routine[],
  { stopping, done, signal, logger }: ServeOptions,
): Promise<void> {
  const either = AbortSignal.any([signal, done]);
  await using scope = new Scope(either);
  for (const routine of routines) {
    scope.run((ended) => runRoutine(routine, connection, { stopping, ended, logger }));
  }
  const lost = connection.closed.then((reason): never => {
    throw new SessionClosedError(reason);
  });
  try {
    await abortable(Promise.race([lost, scope.failed]), either);
  } catch (error) {
    if (signal.aborted || !done.aborted) throw error;
  }
}

async function runRoutine(
  { name, endsAtShutdown, run }: Routine,
  connection: AgentConnection,
  {
    stopping,
    ended,
    logger,
  }: { readonly stopping: AbortSignal; readonly ended: AbortSignal; readonly logger: Logger },
): Promise<void> {
  const signal = endsAtShutdown ? AbortSignal.any([ended, stopping]) : ended;
  try {
    if (!signal.aborted) await run(connection, signal);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof RpcError) || error.rpcCode !== drpcCodeUnimplemented) throw error;
    logger.debug({ routine: name }, "routine ended: not supported by the server");
  }
}
