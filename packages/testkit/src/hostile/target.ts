import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ApiClient } from "@slipway/sdk/http";

import { openClient } from "../processes/log-in.ts";

/** A member with their own workspace. */
export interface Member {
  readonly client: ApiClient;
  readonly credentials: { readonly email: string; readonly password: string };
  readonly workspace: Workspace;
}

/** The server, as the hostile ones know it. */
export interface HostileTarget {
  readonly server: { readonly url: string };
  readonly templateId: string;
  readonly versionId: string;
  readonly member: Member;
  /** The hostile member's accomplice, who may push templates. */
  readonly author: ApiClient;
  /** The owner of the hostile agent. */
  readonly agentOwner: Member;
}

/** The same as JSON, for another process. */
export interface TargetData {
  readonly url: string;
  readonly templateId: string;
  readonly versionId: string;
  readonly member: MemberData;
  readonly authorToken: string;
  readonly agentOwner: MemberData;
}

interface MemberData extends Omit<Member, "client"> {
  readonly token: string;
}

export function targetData(target: HostileTarget): TargetData {
  const { server, templateId, versionId, member, author, agentOwner } = target;
  return {
    url: server.url,
    templateId,
    versionId,
    member: memberData(member),
    authorToken: tokenOf(author),
    agentOwner: memberData(agentOwner),
  };
}

export function openTarget(data: TargetData): HostileTarget {
  const { url, templateId, versionId, member, authorToken, agentOwner } = data;
  return {
    server: { url },
    templateId,
    versionId,
    member: { ...member, client: openClient(url, member.token) },
    author: openClient(url, authorToken),
    agentOwner: { ...agentOwner, client: openClient(url, agentOwner.token) },
  };
}

/** Returns the session token of a client; an empty one for a client without. */
export function tokenOf(client: Pick<ApiClient, "headers">): string {
  return client.headers["Coder-Session-Token"] ?? "";
}

function memberData({ client, credentials, workspace }: Member): MemberData {
  return { credentials, workspace, token: tokenOf(client) };
}
