/** What decides about the answer to an agent, in one snapshot of the database. Times are the database's, in milliseconds. */
export type ReinitView =
  /** The token is nobody's, or its workspace was deleted. */
  | { readonly type: "gone" }
  | {
      readonly type: "live";
      /** The row that the token belongs to now; a claim gives it to another one. */
      readonly agentId: string;
      readonly workspaceId: string;
      readonly ownerId: string;
      /** `claiming`: it has a new owner, and the build that hands it over has not succeeded yet, or has failed. */
      readonly standing: "never-a-prebuild" | "prebuild" | "claiming" | "claimed";
      /** The process of this row ran before it, for another owner, and has not begun its new life. */
      readonly isOwed: boolean;
      /** When the row was created. */
      readonly createdAtMs: number;
      /** Since when the agent's open session as this row lasts; undefined while none is open. */
      readonly connectedSinceMs: number | undefined;
      /** When the last session as this row ended; undefined while one is open, or there was none. */
      readonly disconnectedAtMs: number | undefined;
      /** When the row was last told. */
      readonly sentAtMs: number | undefined;
      /** Whether the process was seen to end its life before since then. */
      readonly wasReceived: boolean;
      readonly nowMs: number;
    };
