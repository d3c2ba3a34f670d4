/** A line that a script wrote: the stage that ran, its owner, and the life of the agent's process. */
export interface Pass {
  readonly stage: "start" | "stop";
  readonly owner: string;
  readonly boot: string;
  readonly atMs: number;
}

/** The variables of an agent's environment: the file for the lines, and the number of its process's life. */
export const passVariables = { file: "PASSES_FILE", boot: "PASSES_BOOT" } as const;

/** Returns the text of a script that writes such a line in one write and takes a moment in which faults may occur. */
export function passScript(stage: Pass["stage"]): string {
  const { file, boot } = passVariables;
  return `echo "${stage} \${{ owner.username }} $${boot} $(date +%s%3N)" >> "$${file}"; sleep 0.1`;
}

/** Parses the lines. Throws for a line that our scripts do not write. */
export function parsePasses(text: string): readonly Pass[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const match = /^(?<stage>start|stop) (?<owner>\S+) (?<boot>\S+) (?<at>\d+)$/.exec(line);
      const { stage, owner = "", boot = "", at } = match?.groups ?? {};
      if (stage !== "start" && stage !== "stop") throw new Error(`unexpected line "${line}"`);
      return { stage, owner, boot, atMs: Number(at) };
    });
}
