/** Releases of the stock command and agent that work with this server. */
export const stockVersions = "v2.24 to v2.37";
