import { randomUUID } from "node:crypto";

/** The kind of a session as the server counts it (docs/protocol/agent.md §5.5). */
export type SessionType = "ssh" | "vscode" | "jetbrains" | "reconnecting-pty" | "unknown";

/** One half of a session's record. Both halves have its id. */
export interface ConnectionReport {
  readonly id: string;
  readonly action: "connect" | "disconnect";
  readonly type: SessionType;
  /** The peer's address; empty if unknown. */
  readonly ip: string;
  readonly atMs: number;
  readonly statusCode: number;
  /** Empty for a connect. */
  readonly reason: string;
}

export type ReportConnection = (report: ConnectionReport) => void;

/** A session as it is listed while it is open. */
export type ListedSession = Pick<ConnectionReport, "id" | "type" | "ip">;

/** The end of a session. */
export interface SessionEnd {
  readonly statusCode: number;
  readonly reason: string;
}

/** An open session. */
export interface OpenSession {
  /** Reports the end, once. */
  close(end: SessionEnd): void;
}

export type SessionCounts = Readonly<Record<SessionType, number>>;

interface SessionLogNeeds {
  readonly report: ReportConnection;
  readonly now: () => number;
}

/** Counts the open sessions, and reports the start and the end of each. */
export class SessionLog {
  readonly #needs: SessionLogNeeds;
  readonly #open = new Map<string, ListedSession>();
  readonly #counts: Record<SessionType, number> = {
    ssh: 0,
    vscode: 0,
    jetbrains: 0,
    "reconnecting-pty": 0,
    unknown: 0,
  };

  constructor(needs: SessionLogNeeds) {
    this.#needs = needs;
  }

  /** The numbers of open sessions, by type. */
  get counts(): SessionCounts {
    return { ...this.#counts };
  }

  /** The open sessions, oldest first. */
  list(): readonly ListedSession[] {
    return [...this.#open.values()];
  }

  open(type: SessionType, address: string | undefined): OpenSession {
    const { report, now } = this.#needs;
    const id = randomUUID();
    const ip = address === "localhost" ? "127.0.0.1" : (address ?? "");
    let isOpen = true;
    this.#counts[type] += 1;
    this.#open.set(id, { id, type, ip });
    report({ id, action: "connect", type, ip, atMs: now(), statusCode: 0, reason: "" });
    return {
      close: ({ statusCode, reason }) => {
        if (!isOpen) return;
        isOpen = false;
        this.#counts[type] -= 1;
        this.#open.delete(id);
        report({ id, action: "disconnect", type, ip, atMs: now(), statusCode, reason });
      },
    };
  }
}
