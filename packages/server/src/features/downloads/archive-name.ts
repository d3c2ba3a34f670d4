/** The architectures of Linux with archives. */
const architectures = ["amd64", "arm64"] as const;

/** The compressions: the one that every machine can unpack, and the smaller one. */
const compressions = ["tar.gz", "tar.zst"] as const;

/** The agent and the command with Node.js, for machines without it. */
export interface ArchiveName {
  readonly architecture: (typeof architectures)[number];
  readonly compression: (typeof compressions)[number];
}

export const archiveNames: readonly ArchiveName[] = architectures.flatMap((architecture) =>
  compressions.map((compression) => ({ architecture, compression })),
);

/** Names that start scripts written for Coder download. */
export const coderNames = architectures.map((architecture) => `coder-linux-${architecture}`);

/** The name of the file, in a directory and in a URL. */
export function archiveFile({ architecture, compression }: ArchiveName): string {
  return `slipway-linux-${architecture}.${compression}`;
}
