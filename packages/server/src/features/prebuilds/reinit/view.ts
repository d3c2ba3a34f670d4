/** The state that determines the answer to an agent, from one snapshot. Times are the database's, in milliseconds. */
export type ReinitView =
  /** The token is unknown, or its workspace was deleted. */
  | { readonly type: "gone" }
  | {
      readonly type: "live";
      /** The row that the token belongs to now; a claim moves it to another row. */
      readonly agentId: string;
      readonly workspaceId: string;
      readonly ownerId: string;
      /** `claiming`: it has a new owner, and the build that hands it over has not succeeded yet, or has failed. */
      readonly standing: "never-a-prebuild" | "prebuild" | "claiming" | "claimed";
      /** True if the process of this row is older than the row, ran for another owner, and has not restarted yet. */
      readonly isOwed: boolean;
      /** The time when the row was created. */
      readonly createdAtMs: number;
      /** The start of the agent's open session as this row; undefined while none is open. */
      readonly connectedSinceMs: number | undefined;
      /** The end of the last session as this row; undefined while one is open, or if there was none. */
      readonly disconnectedAtMs: number | undefined;
      /** The time when the row was last notified. */
      readonly sentAtMs: number | undefined;
      /** True if the process was seen to end its previous life since then. */
      readonly wasReceived: boolean;
      readonly nowMs: number;
    };
