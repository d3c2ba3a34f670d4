/** Operations of the original's agents page that have no route here yet; `{}` stands for a parameter. */
export const absentOperations: readonly string[] = [];

const readAsText =
  "a query is text: empty counts as absent, and the service refuses a wrong value with the original's message";
const byPresence = "counts by its presence, whatever its value";
const oldName = "the same handler as under the new name, so it takes the same query";
const notOnThePage = "the page leaves it out; docs/protocol/clients.md §4.2 to §4.6 have it";
const olderAgents = "older agents ask by this name (docs/protocol/rest.md §2.6)";
const isATime = "it is a time, which the page calls text";
const whatTheProviderSent = "whatever the provider sent, or null";
const answersNull = "the original answers null too, whatever its page says (recorded)";
const ownMessage = "the service refuses a wrong one with the original's message";
const mayBeRepeated = "a label may be repeated (docs/protocol/rest.md §6.5)";
const unknownIsInfo = "an unknown level is kept as info instead of losing the batch";

/** Deliberate differences between our document and that page: the comparison's text, and the reason. */
export const differences: Readonly<Record<string, string>> = {
  "GET /derp-map answer.HomeParams: more": notOnThePage,
  "GET /derp-map answer.Regions: more": notOnThePage,
  "GET /derp-map answer.omitDefaultRegions: more": notOnThePage,
  "GET /derp-map answer: object for anything": notOnThePage,
  "GET /tailnet query.resume_token: more": notOnThePage,
  "GET /tailnet query.version: more": notOnThePage,
  "GET /workspaceagents/me/external-auth answer.expires_at: string (date-time) for string": isATime,
  "GET /workspaceagents/me/external-auth answer.token_extra: anything for object":
    whatTheProviderSent,
  "GET /workspaceagents/me/external-auth query.listen: string for boolean": readAsText,
  "GET /workspaceagents/me/external-auth query.url: more": olderAgents,
  "GET /workspaceagents/me/gitauth answer.expires_at: string (date-time) for string": isATime,
  "GET /workspaceagents/me/gitauth answer.token_extra: anything for object": whatTheProviderSent,
  "GET /workspaceagents/me/gitauth query.listen: string for boolean": readAsText,
  "GET /workspaceagents/me/gitauth query.url: more": olderAgents,
  "GET /workspaceagents/me/reinit query.wait: string for boolean": readAsText,
  "GET /workspaceagents/{}/containers query.label: string or array for string": mayBeRepeated,
  "GET /workspaceagents/{}/coordinate query.resume_token: more": notOnThePage,
  "GET /workspaceagents/{}/coordinate query.version: more": notOnThePage,
  "GET /workspaceagents/{}/logs query.after: string for integer": readAsText,
  "GET /workspaceagents/{}/logs query.before: string for integer": readAsText,
  "GET /workspaceagents/{}/logs query.follow: string for boolean": byPresence,
  "GET /workspaceagents/{}/logs query.format: string for json|text": readAsText,
  "GET /workspaceagents/{}/logs query.no_compression: string for boolean": byPresence,
  "GET /workspaceagents/{}/pty query.backend_type: more": notOnThePage,
  "GET /workspaceagents/{}/pty query.command: more": notOnThePage,
  "GET /workspaceagents/{}/pty query.container: more": notOnThePage,
  "GET /workspaceagents/{}/pty query.container_user: more": notOnThePage,
  "GET /workspaceagents/{}/pty query.height: more": notOnThePage,
  "GET /workspaceagents/{}/pty query.received: more": notOnThePage,
  "GET /workspaceagents/{}/pty query.reconnect: more": notOnThePage,
  "GET /workspaceagents/{}/pty query.viewer: more": notOnThePage,
  "GET /workspaceagents/{}/pty query.width: more": notOnThePage,
  "GET /workspaceagents/{}/startup-logs query.after: string for integer": readAsText,
  "GET /workspaceagents/{}/startup-logs query.before: string for integer": readAsText,
  "GET /workspaceagents/{}/startup-logs query.follow: string for boolean": byPresence,
  "GET /workspaceagents/{}/startup-logs query.format: more": oldName,
  "GET /workspaceagents/{}/startup-logs query.no_compression: string for boolean": byPresence,
  "PATCH /workspaceagents/me/app-status answer.detail: missing": answersNull,
  "PATCH /workspaceagents/me/app-status answer.message: missing": answersNull,
  "PATCH /workspaceagents/me/app-status answer.validations: missing": answersNull,
  "PATCH /workspaceagents/me/app-status answer: null for object": answersNull,
  "PATCH /workspaceagents/me/app-status body.state: string for complete|failure|idle|working":
    ownMessage,
  "PATCH /workspaceagents/me/logs answer.detail: missing": answersNull,
  "PATCH /workspaceagents/me/logs answer.message: missing": answersNull,
  "PATCH /workspaceagents/me/logs answer.validations: missing": answersNull,
  "PATCH /workspaceagents/me/logs answer: null for object": answersNull,
  "PATCH /workspaceagents/me/logs body.logs[].created_at: string (date-time) for string": isATime,
  "PATCH /workspaceagents/me/logs body.logs[].level: string for debug|error|info|trace|warn":
    unknownIsInfo,
};
