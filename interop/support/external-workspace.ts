import type { ApiClient } from "@slipway/sdk/http";
import { makeWorkspace, readAgentToken } from "@slipway/testkit";

/** A new workspace whose agent `main` is started elsewhere. */
interface ExternalWorkspace {
  readonly id: string;
  readonly name: string;
  /** The token of its agent. */
  readonly token: string;
}

/** Creates a workspace for the agent of a stock program, named after the program. */
export async function makeExternalWorkspace(
  client: ApiClient,
  templateId: string,
  programName: string,
): Promise<ExternalWorkspace> {
  const name = programName.replaceAll(/[^a-z0-9]+/g, "-");
  const { id } = await makeWorkspace(client, name, templateId, () => true);
  const token = await readAgentToken(client, id);
  return { id, name, token };
}
