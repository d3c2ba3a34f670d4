/** What a server has names of. */
export type NameKind = "workspace" | "template" | "version" | "preset" | "user" | "token";

/** How a shell completes a value: by files, by names that the server knows, or by a few words. */
export type Completes = "files" | NameKind | readonly string[];
