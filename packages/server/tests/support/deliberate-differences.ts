/*
 * Deliberate differences between our responses and the recorded ones, each with its reason; one list for each test of
 * recordings. A test fails for unlisted differences, and for listed ones that no longer occur.
 */

/** A response whose body is not compared. */
export interface OtherAnswer {
  readonly reason: string;
  /** Our status, if it differs from the recorded one. */
  readonly status?: number;
  /** Our message, if it differs from the recorded one. */
  readonly message?: string;
}

export interface DeliberateDifferences {
  /** Responses by method, path without ids, and recorded status. */
  readonly answers: Readonly<Record<string, OtherAnswer>>;
  /** Reasons by the end of the path of a key that our response lacks, or has with another type. */
  readonly lost: Readonly<Record<string, string>>;
  /** Reasons by the end of the path of a key that only our response has. */
  readonly added: Readonly<Record<string, string>>;
  /** The same for keys whose presence depends on the order of events. */
  readonly addedAtTimes?: Readonly<Record<string, string>>;
}

const noNetwork = "the replayed agent does not join the network";
const noNetworkHealth = "the health of the deployment does not cover its network yet";
const noLicense = "the recorded server had this route only with a license";
const alwaysThere = "null there where no worker waited; our servers are always there to take a job";
const noPushes = "the server sends no notifications to browsers";
const nullForNone = "left out there where there is none, null here";
const emptyForNone = "left out there where there is none, an empty list here";
const nullList = "null for none there, an empty list here";

const noDeadline = "there a build that stopped has a deadline as well";
const stopResources = "there the template made the workspace's agents in stop builds too";
const laterThere = "left out there until the job has ended";
const timesLater = "null there until times of builds are counted, which happens now and then";
const workersLeftOut = "left out there a while after the import, always here";
const neverTaken = "the command was recorded while no worker took its job";
const takenEarly = "a worker of ours may have the job already when the answer is read";

const workspaceKeys = {
  lost: {
    latency: noNetwork,
    "matched_provisioners.most_recently_seen": alwaysThere,
  },
  added: {
    "[].metadata": emptyForNone,
    autostart_schedule: nullForNone,
    ttl_ms: nullForNone,
  },
};

export const ofRoutes: DeliberateDifferences = {
  answers: {
    "GET /workspaceagents/ID/containers 500": {
      message: "Internal error dialing workspace agent.",
      reason: noNetwork,
    },
    "GET /workspaceagents/ID/listening-ports 200": { status: 500, reason: noNetwork },
    "GET /entitlements 404": {
      status: 200,
      reason: "the stock command asks for it before it sets schedules of templates",
    },
    "GET /workspaceagents/me/external-auth?match=https://example.com/a/b 404": {
      message: 'No external auth provider is for the URL "https://example.com/a/b".',
      reason: "the recorded message names another product",
    },
  },
  lost: {
    ...workspaceKeys.lost,
    webpush_public_key: noPushes,
    derp: noNetworkHealth,
    websocket: noNetworkHealth,
    workspace_proxy: "the server has no proxies",
    "provisioner_daemons.items": "provisioners have a list of their own",
  },
  added: {
    ...workspaceKeys.added,
    providers: "there one provider of each type, in fields of its own, which are here too",
    "provisioner_daemons.healthy": "as in every other section",
    "provisioner_daemons.online": "instead of the items",
  },
};

export const ofPeople: DeliberateDifferences = {
  answers: {
    "GET /users/me/keys/tokens?include_all=false&include_expired=false 200": { reason: nullList },
  },
  lost: {},
  added: { name: "left out there where it is empty, empty here" },
};

export const ofTemplates: DeliberateDifferences = {
  answers: { "GET /templateversions/ID/presets 200": { reason: nullList } },
  lost: {
    "matched_provisioners.most_recently_seen": alwaysThere,
    error: "a job of the recorded server had failed",
  },
  added: {
    ...workspaceKeys.added,
    matched_provisioners: workersLeftOut,
    has_ai_task: laterThere,
    has_external_agent: laterThere,
  },
  addedAtTimes: {
    "job.started_at": neverTaken,
    "job.worker_id": neverTaken,
    "job.completed_at": neverTaken,
  },
};

export const ofWorkspaces: DeliberateDifferences = {
  answers: {
    "GET /appearance 404": { status: 200, reason: noLicense },
    "GET /workspaceagents/ID/containers?label=devcontainer.config_file%3D&label=devcontainer.local_folder%3D 403":
      { status: 500, reason: noNetwork },
    "GET /workspaceagents/ID/listening-ports 200": { status: 500, reason: noNetwork },
  },
  lost: {
    ...workspaceKeys.lost,
    webpush_public_key: noPushes,
    "latest_build.deadline": noDeadline,
    deadline: noDeadline,
    "resources[]": stopResources,
    "failing_agents[]": stopResources,
    P50: timesLater,
    P95: timesLater,
  },
  added: {
    ...workspaceKeys.added,
    matched_provisioners: workersLeftOut,
    has_ai_task: laterThere,
    has_external_agent: laterThere,
  },
  addedAtTimes: { "job.started_at": takenEarly, "job.worker_id": takenEarly },
};
