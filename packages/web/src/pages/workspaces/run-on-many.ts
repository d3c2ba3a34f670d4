import type { Workspace } from "@slipway/api/workspaces/workspace";

import { errorText } from "../../ui/error-text.ts";

/** The number of workspaces that are acted on at a time. */
const maxParallel = 4;

type Subject = Pick<Workspace, "id" | "name" | "owner_name">;

/** The outcome of an action on several workspaces. */
export interface Outcomes {
  readonly failed: readonly { readonly workspace: Subject; readonly message: string }[];
}

/** Acts on several workspaces, whatever becomes of each. `onProgress` gets the number of those that are done. */
export async function runOnMany<T extends Subject>(
  workspaces: readonly T[],
  act: (workspace: T) => Promise<void>,
  onProgress: (done: number) => void,
): Promise<Outcomes> {
  const waiting = workspaces.values();
  const failed: { workspace: Subject; message: string }[] = [];
  let done = 0;
  const work = async (): Promise<void> => {
    for (const workspace of waiting) {
      try {
        await act(workspace);
      } catch (error) {
        failed.push({ workspace, message: errorText(error) });
      }
      done += 1;
      onProgress(done);
    }
  };
  await Promise.all(Array.from({ length: maxParallel }, work));
  return { failed };
}
