import type { BodyOf, ParamsOf, QueryOf, ResponseOf, Route } from "@slipway/api/contract/route";
import type { ScopeName } from "@slipway/api/contract/scopes";
import type { Clock } from "@slipway/runtime";
import type { Static, TObject } from "typebox";

/** The parts of a call of a route. */
export interface RouteInput<R extends Route> {
  readonly params?: ParamsOf<R>;
  readonly query?: QueryOf<R>;
  readonly body?: BodyOf<R>;
  readonly signal?: AbortSignal;
}

/**
 * The server as a tool sees it: the routes of the contract, with the rights of the caller. Calls reject with an error that
 * has the `status` and the `body` of an error answer, and with the signal's reason.
 */
export interface ToolApi {
  call<R extends Route>(route: R, input?: RouteInput<R>): Promise<ResponseOf<R>>;
  /** Sends raw bytes to a route whose answer is JSON. */
  upload<R extends Route>(route: R, input: UploadInput<R>): Promise<ResponseOf<R>>;
  /** Reads the raw bytes of a route's answer. */
  download<R extends Route>(route: R, input?: RouteInput<R>): Promise<Uint8Array>;
  /**
   * Listens on the caller's own machine and forwards connections to a port of an agent, until the connection of the
   * caller ends; undefined if the server is on another machine than its caller.
   */
  readonly listen: ((request: PortRequest, signal: AbortSignal) => Promise<number>) | undefined;
}

export interface UploadInput<R extends Route> extends RouteInput<R> {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/** A port of an agent. */
export interface PortRequest {
  readonly agentId: string;
  readonly port: number;
}

/** The dependencies of a tool, for one call. */
export interface ToolContext {
  readonly api: ToolApi;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Tells the client what the call is waiting for. */
  readonly report: (text: string) => void;
  /** Records the workspace that the call concerns, for the audit trail. */
  readonly concerns: (workspace: ConcernedWorkspace) => void;
}

export interface ConcernedWorkspace {
  readonly id: string;
  readonly name: string;
  readonly organizationId: string;
}

/** The properties of a tool that a client may rely on, as the protocol's annotations. */
export interface ToolTraits {
  readonly isReadOnly: boolean;
  /** True if it may destroy something, or undo what others did. */
  readonly isDestructive: boolean;
  /** True if repeating a call with the same arguments changes nothing more. */
  readonly isIdempotent: boolean;
}

/** A tool of the server, whose input and output are described by schemas. */
export interface Tool<I extends TObject = TObject, O extends TObject = TObject> {
  readonly name: string;
  /** The name of the same tool of a stock server. */
  readonly stockName: string;
  readonly title: string;
  readonly description: string;
  readonly traits: ToolTraits;
  /** The scopes that every call needs: a limited token without one of them is not offered the tool. */
  readonly scopes: readonly ScopeName[];
  readonly input: I;
  readonly output: O;
  /** Throws `ToolError` for a refusal in words. */
  readonly run: (input: Static<I>, context: ToolContext) => Promise<Static<O>>;
}

/** A tool whose schemas are no longer known: what every tool can be used as. */
export type AnyTool = Omit<Tool, "run"> & {
  readonly run: (input: never, context: ToolContext) => Promise<Readonly<Record<string, unknown>>>;
};

/** Declares a tool; its name at a stock server defaults to `coder_` and its name. */
export function defineTool<I extends TObject, O extends TObject>(
  tool: Omit<Tool<I, O>, "stockName"> & { readonly stockName?: string },
): Tool<I, O> {
  return { ...tool, stockName: tool.stockName ?? `coder_${tool.name}` };
}

/** A request of a tool that is not carried out; the message says why, and what to do. */
export class ToolError extends Error {
  override readonly name = "ToolError";
  readonly code = "tool-refused";
}
