/** Who writes rows and holds locks: a transaction, of which only the identity matters here. */
export type Holder = object;
