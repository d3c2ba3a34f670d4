import type { Migration } from "kysely/migration";

import { up as foundation } from "./0001-foundation.ts";
import { up as people } from "./0002-people.ts";
import { up as agents } from "./0003-agents.ts";
import { up as schedulesAndAudit } from "./0004-schedules-and-audit.ts";
import { up as templates } from "./0005-templates.ts";
import { up as sessionsAndAudit } from "./0007-sessions-and-audit.ts";
import { up as prebuilds } from "./0008-prebuilds.ts";
import { up as reinitReceived } from "./0009-reinit-received.ts";
import { up as instanceIdentity } from "./0010-instance-identity.ts";
import { up as keyCreators } from "./0011-key-creators.ts";
import { up as quotas } from "./0015-quotas.ts";
import { up as templateQuotas } from "./0016-template-quotas.ts";
import { up as liveAgents } from "./0018-live-agents.ts";
import { up as usageOfAgents } from "./0018-usage-of-agents.ts";
import { up as connectedAt } from "./0020-connected-at.ts";
import { up as clockOfAgents } from "./0021-clock-of-agents.ts";
import { up as orderOfAudit } from "./0022-order-of-audit.ts";
import { up as tailnet } from "./0023-tailnet.ts";
import { up as relayMesh } from "./0024-relay-mesh.ts";
import { up as agentLatency } from "./0025-agent-latency.ts";
import { up as keysOfPeers } from "./0026-keys-of-peers.ts";
import { up as portShares } from "./0027-port-shares.ts";
import { up as externalAuth } from "./0028-external-auth.ts";
import { up as inbox } from "./0029-inbox.ts";
import { up as corsOfApps } from "./0030-cors-of-apps.ts";
import { up as reservedByPeers } from "./0047-reserved-by-peers.ts";
import { up as stoppedAgents } from "./0054-stopped-agents.ts";
import { up as ownersSchedules } from "./0055-owners-schedules.ts";
import { up as failedStarts } from "./0056-failed-starts.ts";
import { up as requiredStops } from "./0057-required-stops.ts";
import { up as dormancy } from "./0058-dormancy.ts";
import { up as gonePeers } from "./0059-gone-peers.ts";
import { up as dormantDeletion } from "./0060-dormant-deletion.ts";
import { up as usersOfConnections } from "./0061-users-of-connections.ts";
import { up as deletionAtDeadline } from "./0062-deletion-at-deadline.ts";
import { up as keptRuns } from "./0063-kept-runs.ts";
import { up as devContainers } from "./0064-dev-containers.ts";
import { up as endedAgents } from "./0065-ended-agents.ts";
import { up as workspaceStates } from "./0066-workspace-states.ts";
import { up as oauthGrants } from "./0067-oauth-grants.ts";
import { up as retention } from "./0068-retention.ts";
import { up as hintsOfUsers } from "./0069-hints-of-users.ts";
import { up as smallerReads } from "./0070-smaller-reads.ts";
import { up as hintsOfPools } from "./0071-hints-of-pools.ts";
import { up as unusedIndexes } from "./0072-unused-indexes.ts";
import { up as userIdentities } from "./0073-user-identities.ts";
import { up as ordersOfWorkspaces } from "./0074-orders-of-workspaces.ts";
import { up as deviceApprovals } from "./0075-device-approvals.ts";
import { up as statesDerivedOnce } from "./0076-states-derived-once.ts";
import { up as deviceLookups } from "./0077-device-lookups.ts";
import { up as noIdentityWithPassword } from "./0078-no-identity-with-password.ts";
import { up as sessionsOfProviders } from "./0079-sessions-of-providers.ts";
import { up as newestConnections } from "./0080-newest-connections.ts";
import { up as loginTests } from "./0081-login-tests.ts";
import { up as terraform } from "./0082-terraform.ts";
import { up as jobAttempts } from "./0083-job-attempts.ts";
import { up as endedByProviders } from "./0084-ended-by-providers.ts";
import { up as jobTimings } from "./0085-job-timings.ts";
import { up as provisioners } from "./0086-provisioners.ts";
import { up as parameterReadings } from "./0087-parameter-readings.ts";
import { up as endedUsers } from "./0088-ended-users.ts";
import { up as runsAuditedOnce } from "./0089-runs-audited-once.ts";
import { up as jobLists } from "./0090-job-lists.ts";
import { up as claimsByTime } from "./0091-claims-by-time.ts";

/**
 * All migrations by name, in the order of their names. A merged one is never edited. Numbers that are missing (0006,
 * 0012 to 0014, 0017 and 0019) were given to changes that found another way before they were merged; the next is
 * above the last.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001-foundation": { up: foundation },
  "0002-people": { up: people },
  "0003-agents": { up: agents },
  "0004-schedules-and-audit": { up: schedulesAndAudit },
  "0005-templates": { up: templates },
  "0007-sessions-and-audit": { up: sessionsAndAudit },
  "0008-prebuilds": { up: prebuilds },
  "0009-reinit-received": { up: reinitReceived },
  "0010-instance-identity": { up: instanceIdentity },
  "0011-key-creators": { up: keyCreators },
  "0015-quotas": { up: quotas },
  "0016-template-quotas": { up: templateQuotas },
  "0018-live-agents": { up: liveAgents },
  "0018-usage-of-agents": { up: usageOfAgents },
  "0020-connected-at": { up: connectedAt },
  "0021-clock-of-agents": { up: clockOfAgents },
  "0022-order-of-audit": { up: orderOfAudit },
  "0023-tailnet": { up: tailnet },
  "0024-relay-mesh": { up: relayMesh },
  "0025-agent-latency": { up: agentLatency },
  "0026-keys-of-peers": { up: keysOfPeers },
  "0027-port-shares": { up: portShares },
  "0028-external-auth": { up: externalAuth },
  "0029-inbox": { up: inbox },
  "0030-cors-of-apps": { up: corsOfApps },
  "0047-reserved-by-peers": { up: reservedByPeers },
  "0054-stopped-agents": { up: stoppedAgents },
  "0055-owners-schedules": { up: ownersSchedules },
  "0056-failed-starts": { up: failedStarts },
  "0057-required-stops": { up: requiredStops },
  "0058-dormancy": { up: dormancy },
  "0059-gone-peers": { up: gonePeers },
  "0060-dormant-deletion": { up: dormantDeletion },
  "0061-users-of-connections": { up: usersOfConnections },
  "0062-deletion-at-deadline": { up: deletionAtDeadline },
  "0063-kept-runs": { up: keptRuns },
  "0064-dev-containers": { up: devContainers },
  "0065-ended-agents": { up: endedAgents },
  "0066-workspace-states": { up: workspaceStates },
  "0067-oauth-grants": { up: oauthGrants },
  "0068-retention": { up: retention },
  "0069-hints-of-users": { up: hintsOfUsers },
  "0070-smaller-reads": { up: smallerReads },
  "0071-hints-of-pools": { up: hintsOfPools },
  "0072-unused-indexes": { up: unusedIndexes },
  "0073-user-identities": { up: userIdentities },
  "0074-orders-of-workspaces": { up: ordersOfWorkspaces },
  "0075-device-approvals": { up: deviceApprovals },
  "0076-states-derived-once": { up: statesDerivedOnce },
  "0077-device-lookups": { up: deviceLookups },
  "0078-no-identity-with-password": { up: noIdentityWithPassword },
  "0079-sessions-of-providers": { up: sessionsOfProviders },
  "0080-newest-connections": { up: newestConnections },
  "0081-login-tests": { up: loginTests },
  "0082-terraform": { up: terraform },
  "0083-job-attempts": { up: jobAttempts },
  "0084-ended-by-providers": { up: endedByProviders },
  "0085-job-timings": { up: jobTimings },
  "0086-provisioners": { up: provisioners },
  "0087-parameter-readings": { up: parameterReadings },
  "0088-ended-users": { up: endedUsers },
  "0089-runs-audited-once": { up: runsAuditedOnce },
  "0090-job-lists": { up: jobLists },
  "0091-claims-by-time": { up: claimsByTime },
};
