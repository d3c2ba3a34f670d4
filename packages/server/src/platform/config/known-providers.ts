/** The addresses and scopes of a provider, as far as its type determines them. */
export interface ProviderDefaults {
  readonly displayName: string;
  readonly displayIcon: string;
  readonly authUrl: string | undefined;
  readonly tokenUrl: string | undefined;
  readonly validateUrl: string | undefined;
  /** The address that revokes tokens; may contain the id of the client, as `{client_id}`. */
  readonly revokeUrl: string | undefined;
  readonly deviceCodeUrl: string | undefined;
  readonly scopes: readonly string[];
  readonly regex: string | undefined;
}

/** A host of Git repositories whose addresses are known. Paths are relative to the base of the host. */
interface KnownHost {
  readonly displayName: string;
  /** The base of the public host; undefined if there is none. */
  readonly base: string | undefined;
  readonly authPath: string;
  readonly tokenPath: string;
  readonly validatePath: string | undefined;
  /** The validation address of the public host, if it is on another host. */
  readonly publicValidateUrl?: string;
  /** The path that revokes tokens; it and `publicRevokeUrl` may contain the id of the client, as `{client_id}`. */
  readonly revokePath?: string;
  readonly publicRevokeUrl?: string;
  readonly devicePath?: string;
  readonly scopes: readonly string[];
}

const hosts: Readonly<Record<string, KnownHost>> = {
  github: {
    displayName: "GitHub",
    base: "https://github.com",
    authPath: "/login/oauth/authorize",
    tokenPath: "/login/oauth/access_token",
    validatePath: "/api/v3/user",
    publicValidateUrl: "https://api.github.com/user",
    revokePath: "/api/v3/applications/{client_id}/grant",
    publicRevokeUrl: "https://api.github.com/applications/{client_id}/grant",
    devicePath: "/login/device/code",
    scopes: ["repo", "workflow"],
  },
  gitlab: {
    displayName: "GitLab",
    base: "https://gitlab.com",
    authPath: "/oauth/authorize",
    tokenPath: "/oauth/token",
    validatePath: "/oauth/token/info",
    revokePath: "/oauth/revoke",
    devicePath: "/oauth/authorize_device",
    scopes: ["write_repository", "read_api"],
  },
  gitea: {
    displayName: "Gitea",
    base: "https://gitea.com",
    authPath: "/login/oauth/authorize",
    tokenPath: "/login/oauth/access_token",
    validatePath: "/login/oauth/userinfo",
    scopes: ["read:user", "write:repository"],
  },
  "bitbucket-cloud": {
    displayName: "Bitbucket Cloud",
    base: "https://bitbucket.org",
    authPath: "/site/oauth2/authorize",
    tokenPath: "/site/oauth2/access_token",
    validatePath: undefined,
    publicValidateUrl: "https://api.bitbucket.org/2.0/user",
    scopes: ["account", "repository:write"],
  },
  "bitbucket-server": {
    displayName: "Bitbucket Server",
    base: undefined,
    authPath: "/rest/oauth2/latest/authorize",
    tokenPath: "/rest/oauth2/latest/token",
    validatePath: "/rest/api/latest/inbox/pull-requests/count",
    scopes: ["PUBLIC_REPOS", "REPO_READ", "REPO_WRITE"],
  },
};

const azureHost = String.raw`^(https?://)?([^/@]+@)?dev\.azure\.com(/.*)?$`;

const azure: Readonly<Record<string, Partial<ProviderDefaults>>> = {
  "azure-devops": {
    displayName: "Azure DevOps",
    displayIcon: "/icon/azure-devops.svg",
    authUrl: "https://app.vssps.visualstudio.com/oauth2/authorize",
    tokenUrl: "https://app.vssps.visualstudio.com/oauth2/token",
    regex: azureHost,
    scopes: ["vso.code_write"],
  },
  // The addresses contain the tenant. The scope is the id of Azure DevOps, the same everywhere.
  "azure-devops-entra": {
    displayName: "Azure DevOps (Entra)",
    displayIcon: "/icon/azure-devops.svg",
    regex: azureHost,
    scopes: ["499b84ac-1321-427f-aa17-267ca6975798/.default", "offline_access"],
  },
};

/** The types with built-in defaults, all of them hosts of Git repositories, sorted by name. */
export const knownProviderTypes: readonly string[] = [
  ...Object.keys(hosts),
  ...Object.keys(azure),
].toSorted();

/** Returns whether providers of a type give tokens for Git. */
export function isGitType(type: string): boolean {
  return knownProviderTypes.includes(type);
}

const nothing: ProviderDefaults = {
  displayName: "",
  displayIcon: "",
  authUrl: undefined,
  tokenUrl: undefined,
  validateUrl: undefined,
  revokeUrl: undefined,
  deviceCodeUrl: undefined,
  scopes: [],
  regex: undefined,
};

/**
 * Returns the defaults of a type of provider. If the operator sets the address of the login, as for a self-hosted
 * instance, the other addresses follow from it.
 */
export function providerDefaults(type: string, authUrl: string | undefined): ProviderDefaults {
  const host = Object.hasOwn(hosts, type) ? hosts[type] : undefined;
  if (host !== undefined) return hostDefaults(type, host, authUrl);
  return { ...nothing, ...(Object.hasOwn(azure, type) ? azure[type] : {}) };
}

function hostDefaults(
  type: string,
  host: KnownHost,
  authUrl: string | undefined,
): ProviderDefaults {
  const base = baseOf(host, authUrl);
  const at = (path: string | undefined): string | undefined =>
    path === undefined || base === undefined ? undefined : `${base}${path}`;
  const isPublic = base === host.base;
  return {
    displayName: host.displayName,
    displayIcon: `/icon/${type.replace(/-(cloud|server)$/, "")}.svg`,
    authUrl: at(host.authPath),
    tokenUrl: at(host.tokenPath),
    validateUrl: (isPublic ? host.publicValidateUrl : undefined) ?? at(host.validatePath),
    revokeUrl: (isPublic ? host.publicRevokeUrl : undefined) ?? at(host.revokePath),
    deviceCodeUrl: at(host.devicePath),
    scopes: host.scopes,
    regex: base === undefined ? undefined : regexOf(base),
  };
}

/** Returns the base address of a host's paths; undefined if the login is at an unknown path. */
function baseOf(host: KnownHost, authUrl: string | undefined): string | undefined {
  if (authUrl === undefined) return host.base;
  return authUrl.endsWith(host.authPath) ? authUrl.slice(0, -host.authPath.length) : undefined;
}

/** Returns the expression that matches the addresses of a host, with or without their scheme. */
function regexOf(base: string): string {
  const escaped = base
    .replace(/^https?:\/\//, "")
    .replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return `^(https?://)?${escaped}(/.*)?$`;
}
